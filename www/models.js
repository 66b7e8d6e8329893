// A model's files as bytes: shipped (sizes and hashes recorded), from another folder of this site, or from the visitor's disk.

const NAMES = ['config.json', 'scheduler_config.json', 'labels.json', 'diffusion_pytorch_model.safetensors'];
const OPTIONAL = ['scheduler_config.json', 'labels.json'];

export class ModelError extends Error {
  name = 'ModelError';
}

/**
 * Files of the folder at `url` as `{ name: Uint8Array }`. `sha256(bytes)` gives hexadecimal; `onProgress({ loaded, total, file })`
 * is called as bytes arrive; `signal` stops it.
 */
export async function fetchModel(url, { sha256, onProgress, signal }) {
  const folder = url.endsWith('/') ? url : `${url}/`;
  const shipped = await recorded(folder, signal);
  const wanted = shipped?.files ?? NAMES.map((name) => ({ name }));
  const total = shipped ? wanted.reduce((sum, { bytes }) => sum + bytes, 0) : null;
  const files = {};
  let before = 0;
  for (const { name, sha256: expected } of wanted) {
    const bytes = await fetchFile(folder, name, signal, (loaded, length) =>
      onProgress({ loaded: before + loaded, total: total ?? (length ? before + length : null), file: name }));
    if (!bytes) continue;
    before += bytes.length;
    if (expected) {
      const found = sha256(bytes);
      if (found !== expected) {
        throw new ModelError(`${name} is not the file this page was published with: its SHA-256 is ${found.slice(0, 12)}…, the recorded one ${expected.slice(0, 12)}…. It was damaged on the way or on the server; reload the page to fetch it again.`);
      }
    }
    files[name] = bytes;
  }
  return { id: folder.split('/').at(-2), title: shipped?.title ?? folder.split('/').at(-2), files };
}

async function recorded(folder, signal) {
  const list = new URL('models/index.json', import.meta.url);
  const answer = await fetch(list, { signal }).catch(rethrowAbort);
  if (!answer?.ok) return null;
  const models = await answer.json().catch(() => []);
  return models.find((model) => new URL(model.path, new URL('.', import.meta.url)).href === folder) ?? null;
}

async function fetchFile(folder, name, signal, onBytes) {
  const answer = await fetch(new URL(name, folder), { signal }).catch((error) => {
    rethrowAbort(error);
    throw new ModelError(`${name} could not be fetched (${error.message}). Check the connection and try again.`);
  });
  if (!answer.ok) {
    if (answer.status === 404 && OPTIONAL.includes(name)) return null;
    throw new ModelError(`${name} could not be fetched: the server answered ${answer.status}${answer.status === 404 ? ', there is no such file' : ''}.`);
  }
  // The length is that of what travels: with compression it says nothing about the bytes that come out.
  const length = answer.headers.has('content-encoding') ? 0 : Number(answer.headers.get('content-length')) || 0;
  const parts = [];
  let loaded = 0;
  try {
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      onBytes((loaded += value.length), length);
    }
  } catch (error) {
    rethrowAbort(error);
    throw new ModelError(`${name} stopped arriving after ${loaded} ${length ? `of ${length} ` : ''}bytes (${error.message}). Try again.`);
  }
  if (length && loaded !== length) throw new ModelError(`${name} stopped arriving after ${loaded} of ${length} bytes. Try again.`);
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return bytes;
}

function rethrowAbort(error) {
  if (error.name === 'AbortError') throw error;
}

/** Files that the visitor opened, `[{ path, file }]`: a folder keeps its structure. */
export async function readModel(list, { onProgress, signal }) {
  const files = {};
  const total = list.reduce((sum, { file }) => sum + file.size, 0);
  let loaded = 0;
  for (const { path, file } of list) {
    if (!/\.(json|safetensors|bin|ckpt|pt|pth)$/.test(path)) continue;
    files[path] = new Uint8Array(await file.arrayBuffer().catch((error) => {
      throw new ModelError(`${path} could not be read from the disk (${error.message}).`);
    }));
    signal.throwIfAborted();
    onProgress({ loaded: (loaded += file.size), total, file: path });
  }
  const weights = Object.keys(files).find((path) => path.endsWith('.safetensors')) ?? 'opened files';
  return { id: weights, title: weights.includes('/') ? weights.split('/')[0] : weights, files };
}
