// Where a model's files come from (this site, another, this browser's storage or the visitor's disk), and what the engine asks
// of the page around it.
import { keptFiles } from '../files/kept.js';
import { directly, through } from '../files/outside.js';
import { passes } from '../files/passing.js';

/**
 * @import { ModelFile, Pollen as Public } from './types.js'
 *
 * @typedef {object} Host
 * @property {() => Worker} worker starts worker/worker.js
 * @property {() => Promise<{ outside: MessagePort, close: () => void }>} [openOutside] a way to other servers, where the page's
 *   policy lets its Worker ask none itself
 * @property {string} [models] the address of the list of the models that a site was published with
 */

/** The path of a file that was dropped in a folder or chosen with it; else its name. */
export const pathOf = (/** @type {File & { path?: string }} */ file) => file.path || file.webkitRelativePath || file.name;

/**
 * Files with their paths, which a message from the Worker does not carry.
 * @param {{ files: { path: string, file: File }[], notes: string[] }} unpacked
 */
export const withPaths = ({ files, notes }) => ({ files: files.map(({ path, file }) => Object.assign(file, { path })), notes });

/**
 * Where a model's files are: `files`, or `url`, with `models`, the list of those that this site was published with,
 * and where another site has them `outside`, the port to it, or `elsewhere`.
 * @param {Parameters<Public['loadModel']>[0]} source
 * @param {Host} host
 * @returns {Promise<{ url?: string, models?: string, elsewhere?: boolean, outside?: MessagePort, close?: () => void, files?: ModelFile[], title?: string }>}
 */
export async function origin(source, { openOutside, models }) {
  if (typeof source !== 'string') {
    const files = [...source].map((file) => ('file' in file ? file : { path: pathOf(file), file }));
    return areElsewhere(files) ? { files, ...(openOutside ? await openOutside() : { elsewhere: true }) } : { files };
  }
  if (source.startsWith('kept:')) return keptFiles(source.slice('kept:'.length));
  if (!URL.canParse(source, document.baseURI)) throw named('InputError', `“${source}” is no address. One looks like https://example.org/folder/.`);
  const url = new URL(source, document.baseURI);
  if (!/^https?:$/.test(url.protocol)) throw named('InputError', `${url.href} cannot be opened: an address begins with https://.`);
  if (url.origin === location.origin) return { url: url.href, models };
  return openOutside ? { url: url.href, ...(await openOutside()) } : { url: url.href, elsewhere: true };
}

/** @param {ModelFile[]} files */
const areElsewhere = (files) => files.some(({ file }) => passes(file) && 'url' in file && new URL(file.url).origin !== location.origin);

/**
 * What `work(get)` gives, where `get` fetches those of `files` that nobody holds.
 * @template T
 * @param {ModelFile[]} files
 * @param {Host} host
 * @param {(get: import('../files/models.js').Get) => Promise<T>} work
 */
export async function reaching(files, { openOutside }, work) {
  if (!areElsewhere(files) || !openOutside) return work(directly);
  const { outside, close } = await openOutside();
  try {
    return await work(through(outside));
  } finally {
    close();
  }
}

/**
 * An error of the API, with the name that docs/api.md gives it.
 * @param {string} name
 * @param {string} message
 */
export function named(name, message) {
  return Object.assign(new Error(message), { name });
}
