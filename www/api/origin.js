// Where a model's files come from: this site, another, this browser's storage or the visitor's disk.
import { keptFiles } from '../files/kept.js';
import { openOutside } from '../files/outside.js';

/** @import { ModelFile, Pollen as Public } from './types.js' */

/** The path of a file that was dropped in a folder or chosen with it; else its name. */
export const pathOf = (/** @type {File & { path?: string }} */ file) => file.path || file.webkitRelativePath || file.name;

/**
 * Where a model's files are: `url` on this site, `url` and `outside`, the port to another, or `files`.
 * @param {Parameters<Public['loadModel']>[0]} source
 * @returns {Promise<{ url?: string, outside?: MessagePort, close?: () => void, files?: ModelFile[], title?: string }>}
 */
export async function origin(source) {
  if (typeof source !== 'string') {
    return { files: [...source].map((file) => ('file' in file ? file : { path: pathOf(file), file })) };
  }
  if (source.startsWith('kept:')) return keptFiles(source.slice('kept:'.length));
  if (!URL.canParse(source, document.baseURI)) throw named('InputError', `“${source}” is no address. One looks like https://example.org/folder/.`);
  const url = new URL(source, document.baseURI);
  if (!/^https?:$/.test(url.protocol)) throw named('InputError', `${url.href} cannot be opened: an address begins with https://.`);
  return url.origin === location.origin ? { url: url.href } : { url: url.href, ...(await openOutside()) };
}

/**
 * An error of the API, with the name that docs/api.md gives it.
 * @param {string} name
 * @param {string} message
 */
export function named(name, message) {
  return Object.assign(new Error(message), { name });
}
