// Which weights a picture was made with: their SHA-256, as `sha256sum` gives it.

import { sha256 } from '../../files/digest.js';

/**
 * @import { Entry } from './entry.js'
 * @import { ModelFile } from '../../api/types.js'
 */

const MOST = 2e9; // bytes that a browser hashes at once
/** @type {WeakMap<Blob, string>} */ const known = new WeakMap();

/**
 * The SHA-256 of the weights, of several files one after another with commas between; nothing where they are too large.
 * @param {Pick<Entry, 'from' | 'files'>} model
 * @param {ModelFile[] | null} files of a model that is not of this site
 */
export async function weightsHash({ from, files: listed = [] }, files) {
  if (from === 'site') return listed.flatMap((file) => (typeof file !== 'string' && isWeights(file.name) ? [file.sha256] : [])).join();
  const weights = (files ?? []).filter(({ path }) => isWeights(path)).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (!crypto.subtle || !weights.length || weights.some(({ file }) => file.size > MOST)) return null;
  const hashes = [];
  for (const { file } of weights) {
    if (!(file instanceof Blob)) return null; // elsewhere: it passed by and was not kept
    hashes.push(known.get(file) ?? await hash(file));
  }
  return hashes.join();
}

const isWeights = (/** @type {string} */ path) => !path.endsWith('.json');

/** @param {Blob} file */
async function hash(file) {
  const found = await sha256(await file.arrayBuffer());
  if (found) known.set(file, found);
  return found;
}
