// Training data that is no picture: arrays, and what is in zip files. The engine reads them; gzip is unpacked here.
import { directly } from '../files/outside.js';
import { letGo, Passing, passes } from '../files/passing.js';
import { readable } from './files.js';

/**
 * @import { ModelFile } from '../api/types.js'
 * @import { Call } from './call.js'
 * @typedef {typeof import('../wasm/arrays.js')} Reader
 */

const MEGABYTES = 1024; // as src/train/data/pictures.rs has it

/** @type {Promise<Reader> | null} */ let fetched = null;

/** The module that reads arrays and looks pictures over, which is fetched when it is first needed. */
export async function reader() {
  fetched ??= import('../wasm/arrays.js').then(async (module) => { await module.default(); return module; });
  try {
    return await fetched;
  } catch (error) {
    fetched = null;
    throw Object.assign(new Error(`The reader of pictures and arrays could not be loaded (${/** @type {Error} */ (error).message}).`), { name: 'EngineError' });
  }
}

/**
 * Makes files as the engine reads them; what is deflated in a zip file comes when it is waited for.
 * @param {Call} call
 */
function sources({ abort: { signal } }) {
  /** @type {(file: ModelFile) => any} */
  const source = ({ path, file }) => {
    if (!passes(file)) return readable(path, file, source);
    const made = new Passing(path, file, { get: directly, signal });
    const read = (/** @type {number} */ begin, /** @type {Uint8Array} */ into) => {
      const length = made.read(begin, into);
      if (begin + length === file.size) made.arrive(file.size, file.size).catch(() => {}); // lets go of it
      return length;
    };
    return { path, size: file.size, read, arrive: made.arrive.bind(made) };
  };
  return source;
}

/**
 * The content of a gzip file under its own name; any other file as it is. How much comes of it nobody knows before.
 * @param {string} path
 * @param {File} file
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>}
 */
async function gunzipped(path, file, signal) {
  const [a, b] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (a !== 0x1f || b !== 0x8b) return file;
  let left = MEGABYTES * 2 ** 20;
  /** @type {Blob[]} */ const parts = [];
  const count = new WritableStream({
    write(/** @type {Uint8Array<ArrayBuffer>} */ bytes) {
      left -= bytes.length;
      if (left < 0) throw named(`${path} unpacks to more than the ${MEGABYTES} MB that are read here. Train on it with the command line.`);
      parts.push(new Blob([bytes]));
      letGo(bytes.buffer);
    },
  });
  try {
    await file.stream().pipeThrough(new DecompressionStream('gzip')).pipeTo(count, { signal });
  } catch (error) {
    if (left < 0 || signal.aborted) throw error;
    throw named(`${path} is cut short or damaged (${/** @type {Error} */ (error).message}). Get it again.`);
  }
  return new Blob(parts);
}

/**
 * What `readArrays` gives: null where the files are pictures.
 * @param {{ paths: string[], files: File[], options: object }} of
 * @param {Call} call
 */
export async function readArrays({ paths, files, options }, call) {
  const source = sources(call), gzipped = files.length <= 64;
  const all = [];
  for (const [i, file] of files.entries()) all.push(source({ path: paths[i], file: gzipped ? await gunzipped(paths[i], file, call.abort.signal) : file }));
  return (await reader()).readArrays(all, options);
}

/**
 * The files in a zip file, with their places in it, and what is said of those that are damaged.
 * @param {{ path: string, file: File }} of
 * @param {Call} call
 */
export async function unzip({ path, file }, call) {
  /** @type {{ path: string, file: File }[]} */ const files = [];
  const { signal } = call.abort;
  const notes = await (await reader()).unzip(sources(call)({ path, file }), (/** @type {string} */ name, /** @type {Uint8Array<ArrayBuffer>} */ bytes) => {
    signal.throwIfAborted();
    files.push({ path: name, file: new File([bytes], name.split('/').at(-1) ?? name) });
    letGo(bytes.buffer);
  });
  return { files, notes };
}

const named = (/** @type {string} */ message) => Object.assign(new Error(message), { name: 'InputError' });
