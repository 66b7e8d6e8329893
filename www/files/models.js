// A model's files, as blobs of which the engine reads what it needs: shipped (sizes and hashes recorded), from a folder of this
// site or of another.

/**
 * @import { ModelFile, Progress } from '../api/types.js'
 *
 * @typedef {(url: string, options: { signal: AbortSignal, cache?: RequestCache }) => Promise<Response>} Get
 * @typedef {Record<string, Blob | Passing>} Files by path; what is large passes by
 *
 * @typedef {object} Reading
 * @property {(bytes: Uint8Array) => string} sha256 the engine's, in hexadecimal
 * @property {(progress: Progress) => void} onProgress hears of bytes as they arrive
 * @property {AbortSignal} signal stops it
 */

import { SAVED, WEIGHTS, folderOf } from './addresses.js';
import { sha256 as digest } from './digest.js';
import { LARGE, Passing } from './passing.js';

const PART = 8 << 20; // of what arrives, until the browser takes it out of this thread's memory

const isZip = (/** @type {string} */ name) => /\.zip$/i.test(name);

export class ModelError extends Error {
  name = 'ModelError';
}

/**
 * Files of the folder at `url`. `get` is `fetch` or its like for other servers. `recorded` says whether the files are those that
 * this page was published with.
 * @param {string} url
 * @param {Reading & { get?: Get, models?: string }} options
 */
export async function fetchModel(url, { get = fetch, models, sha256, onProgress, signal }) {
  const { folder, title, ...about } = folderOf(url);
  const shipped = models ? await recorded(models, folder, signal) : null;
  const arrival = new Arrival({ folder, get, onProgress, signal, total: shipped?.files.reduce((sum, { bytes }) => sum + bytes, 0) });
  if (!shipped) {
    const found = Object.entries(await discover(arrival, about));
    return { id: folder, title, files: found.map(([path, file]) => (file instanceof Passing ? file : { path, file })), recorded: false };
  }
  /** @type {ModelFile[]} */ const files = [];
  for (const { name, sha256: expected } of shipped.files) {
    const read = async (/** @type {RequestCache} */ cache) => {
      const file = await arrival.whole(name, cache);
      const bytes = await file.arrayBuffer();
      // The engine's takes as much of its memory as the file is large, and that never shrinks.
      return { file, found: await digest(bytes) ?? sha256(new Uint8Array(bytes)) };
    };
    let { file, found } = await read('force-cache'); // its hash says whether it is old
    if (found !== expected) {
      arrival.back(file.size);
      ({ file, found } = await read('reload'));
    }
    files.push({ path: name, file });
    if (found !== expected) {
      throw new ModelError(`${name} is not the file this page was published with: its SHA-256 is ${found.slice(0, 12)}…, the recorded one ${expected.slice(0, 12)}…. It was damaged on the way or on the server; reload the page to fetch it again.`);
    }
  }
  return { id: shipped.id, title: shipped.title, files, recorded: true };
}

/**
 * @typedef {{ id: string, title: string, path: string, files: { name: string, bytes: number, sha256: string }[] }} Shipped
 *
 * @param {string} list the address of the list of models that a page was published with
 * @param {string} folder
 * @param {AbortSignal} signal
 */
async function recorded(list, folder, signal) {
  const answer = await fetch(list, { signal }).catch(rethrowAbort);
  if (!answer?.ok) return null;
  /** @type {Shipped[]} */
  const models = await answer.json().catch(() => []);
  return models.find((model) => new URL(model.path, new URL('../', list)).href === folder) ?? null;
}

/**
 * The files of a folder that diffusers saved, flat, a pipeline's or a training run's: nobody lists them, so they are asked for by
 * name, in the order of src/model/folder.rs, which then says what is used of them.
 * @param {Arrival} arrival
 * @param {{ weights: string | null, depth: number }} address the weights that it names, and how many folders it is inside of
 */
async function discover(arrival, { weights: named, depth }) {
  /** @type {Files} */ const files = {};
  if (named && isZip(named)) return { [named]: await arrival.whole(named) };
  const first = async (/** @type {string[]} */ names, /** @type {{ page?: boolean, pass?: boolean }} */ options = {}) => {
    for (const name of names) {
      const file = await arrival.file(name, { missing: true, ...options });
      if (file) { files[name] = file; return name; }
    }
    return null;
  };
  const flat = await first(['config.json'], { page: true });
  const average = flat ? null : await first(['unet_ema/config.json']);
  const raw = flat ? null : await first(['unet/config.json'], { page: !average }); // beside an average, that is said
  const config = flat ?? average ?? raw ?? await first(['ema_unet/config.json', 'ema/config.json']); // no one else pays for these questions
  if (!config) {
    throw new ModelError(`There is no model at ${arrival.folder}: it has no config.json, nor has a folder unet_ema, unet, ema_unet or ema in it (the server answered 404). Give the address of the folder that diffusers saved, with the config.json of a UNet2DModel in it.`);
  }
  const inside = config.slice(0, -'config.json'.length), part = /\/(unet(_ema)?|ema(_unet)?)\/$/.test(arrival.folder);
  const above = ['../', ...(part ? ['../../'] : [])].slice(0, depth).map((up) => `${up}scheduler/scheduler_config.json`);
  const own = new Set([inside, 'scheduler/', '']);
  const scheduler = await first([...[...own].map((folder) => `${folder}scheduler_config.json`), ...above]);
  await first([...new Set([inside, ''])].map((folder) => `${folder}labels.json`));
  const indexes = [...(inside ? [''] : []), ...(depth && (part || scheduler?.startsWith('..')) ? ['../'] : [])];
  await first(indexes.map((folder) => `${folder}model_index.json`));
  const names = named ? [named] : SAVED.map((name) => inside + name);
  const weights = await first(names, { page: named !== null, pass: true });
  if (weights?.endsWith('.json')) await shards(arrival, files, inside, weights);
  if (!weights) {
    throw new ModelError(`${arrival.folder} has a ${config} and no weights: the server answered 404, or with a web page, for each of ${names.join(', ')}. Weights of another name are opened by their own address.`);
  }
  return files;
}

/**
 * @param {Arrival} arrival
 * @param {Files} files
 * @param {string} inside the folder of the weights
 * @param {string} index
 */
async function shards(arrival, files, inside, index) {
  let names, size;
  try {
    const { weight_map: map, metadata } = JSON.parse(await /** @type {Blob} */ (files[index]).text());
    names = [...new Set(/** @type {string[]} */ (Object.values(map)))];
    size = metadata?.total_size;
  } catch (error) {
    throw new ModelError(`${index} is no index of weights (${/** @type {Error} */ (error).message}).`);
  }
  if (Number.isFinite(size)) arrival.expect(size);
  for (const name of names) files[inside + name] = /** @type {Blob | Passing} */ (await arrival.file(inside + name, { pass: true }));
}

/** Files arriving one after another, with their progress. */
class Arrival {
  #before = 0;
  #get; #onProgress; #signal; #total;

  /** @param {{ folder: string, get: Get, onProgress: (progress: Progress) => void, signal: AbortSignal, total?: number }} from */
  constructor({ folder, get, onProgress, signal, total }) {
    this.folder = folder;
    this.#get = get;
    this.#onProgress = onProgress;
    this.#signal = signal;
    this.#total = total;
  }

  /** @param {number} bytes that are still to come */
  expect(bytes) { this.#total = this.#before + bytes; }

  /** @param {number} bytes that are to come again */
  back(bytes) { this.#before -= bytes; }

  /**
   * A file that has to be there.
   * @param {string} name
   * @param {RequestCache} [cache]
   */
  async whole(name, cache) { return /** @type {Blob} */ (await this.file(name, { cache })); }

  /**
   * A file. Where it may be `missing`, null if it is, or if a web page comes in its place that may not be a `page`. One that is
   * large and may `pass` is not waited for.
   * @param {string} name
   * @param {{ missing?: boolean, page?: boolean, pass?: boolean, cache?: RequestCache }} [options]
   * @returns {Promise<Blob | Passing | null>}
   */
  async file(name, { missing = false, page = false, pass = false, cache } = {}) {
    const answer = await this.#answer(name, cache);
    if (!answer.ok) {
      await answer.body?.cancel();
      if (missing && [403, 404, 410].includes(answer.status)) return null;
      throw new ModelError(`${name} could not be fetched: the server answered ${answer.status}${answer.status === 404 ? ', there is no such file' : ''}.`);
    }
    const size = Number(answer.headers.get('content-length'));
    if (pass && size >= LARGE && answer.body && !answer.headers.has('content-encoding') && !name.endsWith('.json')) {
      const before = this.#before, onBytes = (/** @type {number} */ end) => this.#onProgress({ loaded: before + end, total: this.#total ?? before + size, file: name });
      this.#before += size;
      return new Passing(name, { size, url: new URL(name, this.folder).href }, { get: this.#get, signal: this.#signal, onBytes }, answer.body);
    }
    const file = await this.#body(name, answer);
    if (/^\s*<(!doctype|html|\?xml|head|body)/i.test(await file.slice(0, 64).text())) {
      if (missing && !page) return null;
      throw new ModelError(`${name} is a web page (HTML), not the file of that name: ${this.folder} is probably not the folder itself but a page that shows it. Give the address under which the files can be downloaded.`);
    }
    this.#before += file.size;
    return file;
  }

  /**
   * @param {string} name
   * @param {RequestCache} [cache]
   */
  async #answer(name, cache) {
    const get = this.#get; // the browser's fetch is no method of anything else
    return get(new URL(name, this.folder).href, { signal: this.#signal, ...(cache ? { cache } : {}) }).catch((error) => {
      rethrowAbort(error);
      if (error.name === 'ModelError') throw error;
      throw new ModelError(`${name} could not be fetched (${error.message}). Check the connection and try again.`);
    });
  }

  /**
   * @param {string} name
   * @param {Response} answer
   */
  async #body(name, answer) {
    // The length is that of what travels: with compression it says nothing about the bytes that come out, and another
    // server does not tell whether it compressed.
    const compressed = answer.headers.has('content-encoding') || (this.#get !== fetch && name.endsWith('.json'));
    const length = compressed ? 0 : Number(answer.headers.get('content-length')) || 0;
    /** @type {BlobPart[]} */ let parts = [];
    let loaded = 0, held = 0;
    try {
      for (const reader = (answer.body ?? new ReadableStream({ start: (none) => none.close() })).getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        loaded += value.length;
        held += value.length;
        if (held >= PART) { parts = [new Blob(parts)]; held = 0; }
        this.#onProgress({ loaded: this.#before + loaded, total: this.#total ?? (length ? this.#before + length : null), file: name });
      }
    } catch (error) {
      rethrowAbort(/** @type {Error} */ (error));
      throw new ModelError(`${name} stopped arriving after ${loaded} ${length ? `of ${length} ` : ''}bytes (${/** @type {Error} */ (error).message}). Try again.`);
    }
    if (length && loaded !== length) throw new ModelError(`${name} stopped arriving after ${loaded} of ${length} bytes. Try again.`);
    return new Blob(parts);
  }
}

/** @param {Error} error */
function rethrowAbort(error) {
  if (error.name === 'AbortError') throw error;
}

/**
 * What a model of these files, which the visitor opened, is called where nothing else names it. Every checkpoint of diffusers is a
 * file of the same name: that tells nothing, its folder does.
 * @param {string[]} paths
 */
export function titleOf(paths) {
  const weights = paths.findLast((path) => !path.endsWith('.json')) ?? 'opened files';
  return { id: weights, title: weights.includes('/') ? weights.split('/')[0].replace(/\.zip$/i, '') : weights.startsWith(WEIGHTS) ? null : weights };
}
