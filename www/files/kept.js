// Models kept for the next visit, in the browser's own cache for this site: the files, and an entry that names them.
import { megabytes } from '../ui/numbers.js';
import { passes, streamOf } from './passing.js';

/** @import { KeptModel, ModelFile } from '../api/types.js' */
/** @import { Get } from './models.js' */

const CACHE = 'pollen-models';
// Names in the cache; nothing is ever fetched there. A file above the model's folder (`../scheduler/…`) is not above the entry.
const part = (/** @type {string} */ name) => (name === '..' ? '...' : encodeURIComponent(name));
const at = (/** @type {string} */ id, path = '') => new URL(`kept/${id}/${path.split('/').map(part).join('/')}`, document.baseURI).href;

async function cache() {
  if (!globalThis.caches) throw new Error('no Cache API');
  return caches.open(CACHE);
}

/**
 * Whether sw.js has kept all of these.
 * @param {string[]} urls
 */
export async function keptBefore(urls) {
  try {
    return (await Promise.all(urls.map((url) => caches.match(url)))).every(Boolean);
  } catch {
    return false; // a browser that keeps nothing
  }
}

/**
 * None where the browser keeps nothing.
 * @returns {Promise<KeptModel[]>}
 */
export async function keptModels() {
  try {
    const store = await cache(), root = new URL('kept/', document.baseURI).href;
    const entries = (await store.keys()).filter(({ url }) => url.startsWith(root) && url.endsWith('/'));
    return await Promise.all(entries.map(async (request) => (await store.match(request))?.json()));
  } catch {
    return [];
  }
}

/**
 * Keeps `files`, of which some are fetched again by `get`, and gives their entry, which holds what else is given. All or nothing:
 * what was written is removed where a file finds no room.
 * @param {{ title: string, files: ModelFile[], get: Get, picture?: string | null }} model
 * @returns {Promise<KeptModel>}
 */
export async function keepModel({ title, files: all, get, ...about }) {
  const files = all.filter(({ path }) => /\.(json|safetensors|bin|ckpt|pt|pth)$/.test(path));
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const id = `${title.replace(/[^\w.-]+/g, '-').slice(0, 60)}-${bytes}`;
  const entry = { ...about, id, title, bytes, files: files.map(({ path }) => path) };
  try {
    const store = await cache();
    await navigator.storage?.persist?.().catch(() => false);
    const { signal } = new AbortController();
    for (const { path, file } of files) await store.put(at(id, path), new Response(passes(file) ? await streamOf(path, file, { get, signal }) : file));
    await store.put(at(id), Response.json(entry));
  } catch (error) {
    await forgetModel(id).catch(() => {});
    throw new Error(await refusal(/** @type {Error} */ (error), title, bytes));
  }
  return entry;
}

/**
 * @param {Error} error
 * @param {string} title
 * @param {number} bytes
 */
async function refusal(error, title, bytes) {
  const stays = 'It stays open until this tab is closed.';
  if (error?.name === 'ModelError') return `${error.message} ${title} is not kept. ${stays}`;
  if (error?.name !== 'QuotaExceededError') {
    return `This browser does not let the page keep ${title} (${error.message}); private windows and pages without https often cannot. ${stays}`;
  }
  const { quota, usage = 0 } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  const room = quota === undefined ? '' : `, and ${megabytes(Math.max(0, quota - usage))} are free for this site`;
  return `There is no room to keep ${title}: it takes ${megabytes(bytes)}${room}. Forget another model or free some of the disk. ${stays}`;
}

/**
 * A kept model.
 * @param {string} id
 */
export async function keptFiles(id) {
  const store = await cache();
  /** @type {KeptModel} */
  const entry = await (await store.match(at(id)))?.json();
  if (!entry) throw new Error(`No model is kept under the name ${id}.`);
  const files = await Promise.all(entry.files.map(async (path) => {
    const found = await store.match(at(id, path));
    if (!found) throw new Error(`The browser has removed ${path} of ${entry.title}. Forget the model and open it again.`);
    return { path, file: await found.blob() };
  }));
  return { title: entry.title, files };
}

/**
 * Replaces the picture of a kept model.
 * @param {string} id
 * @param {string} picture
 */
export async function pictureKept(id, picture) {
  const store = await cache(), found = await store.match(at(id));
  if (found) await store.put(at(id), Response.json({ ...(await found.json()), picture }));
}

/** @param {string} id */
export async function forgetModel(id) {
  const store = await cache();
  const inside = (await store.keys()).filter(({ url }) => url.startsWith(at(id)));
  await Promise.all(inside.map((request) => store.delete(request)));
}
