// What a saved picture holds, read from its bytes.
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';

/**
 * @typedef {{ kind: 'PNG' | 'GIF', width: number, height: number, frames: number, sha256: string }} Held
 * `sha256` is of a PNG's pixels, as they are before they are compressed, and of a GIF's whole file
 */

const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * @param {Buffer} bytes
 * @returns {Held}
 */
export function held(bytes) {
  if (bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return ofPng(bytes);
  if (/^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))) return ofGif(bytes);
  throw new Error(`begins with ${bytes.toString('hex', 0, 8)}, which is no PNG and no GIF`);
}

/** @returns {Held} */
function ofPng(/** @type {Buffer} */ bytes) {
  /** @type {Buffer[][]} */ const frames = [[]];
  let ended = false, stated = 1;
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at), type = bytes.toString('latin1', at + 4, at + 8), data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'acTL') stated = data.readUInt32BE(0);
    if (type === 'fcTL' && frames[frames.length - 1].length) frames.push([]);
    if (type === 'IDAT') frames[frames.length - 1].push(data);
    if (type === 'fdAT') frames[frames.length - 1].push(data.subarray(4));
    ended = type === 'IEND';
    at += length + 12;
  }
  if (!ended) throw new Error('is a PNG without its end');
  if (stated !== frames.length) throw new Error(`is an APNG of ${frames.length} frames that says ${stated}`);
  const pixels = Buffer.concat(frames.map((parts) => inflateSync(Buffer.concat(parts))));
  return { kind: 'PNG', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), frames: frames.length, sha256: sha256(pixels) };
}

/** @returns {Held} */
function ofGif(/** @type {Buffer} */ bytes) {
  const table = (/** @type {number} */ flags) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);
  let at = 13 + table(bytes[10]), frames = 0;
  const blocks = () => {
    while (bytes[at]) at += bytes[at] + 1;
    at++;
  };
  while (bytes[at] !== 0x3b) {
    if (bytes[at] === 0x21) at += 2;
    else if (bytes[at] === 0x2c) {
      frames++;
      at += 11 + table(bytes[at + 9]);
    } else throw new Error(`is a GIF with ${bytes[at]} at byte ${at}, where a block begins`);
    blocks();
  }
  return { kind: 'GIF', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), frames, sha256: sha256(bytes) };
}
