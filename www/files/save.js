// Files that are written by a Worker that starts when one is first needed.
import { download } from './download.js';

/**
 * @import { Order } from '../worker/writing.js'
 *
 * @typedef {{ resolve: (result: any) => void, reject: (error: Error) => void }} Waiting
 */

const TYPES = { png: 'image/png', apng: 'image/png', gif: 'image/gif' };
const ENDINGS = { png: 'png', apng: 'png', gif: 'gif' }; // what opens a PNG opens an APNG

/** @type {Worker | null} */ let worker = null;
/** @type {Map<number, Waiting>} */ const waiting = new Map();
let asked = 0;

/**
 * @param {'write' | 'zip'} op
 * @param {unknown} args
 * @returns {Promise<any>}
 */
function ask(op, args) {
  worker ??= start();
  const id = ++asked;
  worker.postMessage({ id, op, args });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

function start() {
  const made = new Worker(new URL('../worker/writing.js', import.meta.url), { type: 'module', name: 'writing' });
  made.onmessage = ({ data: { id, result, error } }) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(result); else one?.reject(new Error(error));
  };
  made.onerror = () => {
    worker = null;
    for (const { reject } of waiting.values()) reject(new Error('the part of the page that does it could not be loaded; check the connection and try again'));
    waiting.clear();
  };
  return made;
}

/**
 * The bytes of a picture file.
 * @param {Order} order
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export const write = (order) => ask('write', order).catch((error) => { throw new Error(`The picture could not be written: ${error.message}.`); });

/**
 * @param {Order} order
 * @param {string} name without its ending
 * @returns {Promise<string>} with it
 */
export async function save(order, name) {
  const file = `${name}.${ENDINGS[order.format]}`;
  download(new Blob([await write(order)], { type: TYPES[order.format] }), file);
  return file;
}

/**
 * Several files as one.
 * @param {File[]} files
 * @param {string} name without its ending
 */
export async function saveZip(files, name) {
  const bytes = await ask('zip', files).catch((error) => { throw new Error(`${name}.zip could not be written: ${error.message}.`); });
  download(new Blob([bytes], { type: 'application/zip' }), `${name}.zip`);
}
