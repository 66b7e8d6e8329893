// PNG and APNG files from RGBA bytes. The browser's own encoder is not asked: it writes no animation, each browser writes other
// bytes, and some change what they are given against fingerprinting.
import { zlibSync } from '../vendor/fflate.js';
import { chunk, SIGNATURE, text } from './chunks.js';

const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 }; // by channels

/**
 * @typedef {object} Picture
 * @property {Uint8ClampedArray[]} frames RGBA; a second one makes it an animation
 * @property {number} width
 * @property {number} height
 * @property {[seconds: number, of: number][]} [delays] of each frame, as a fraction
 * @property {Record<string, string>} [texts] by keyword
 */

/**
 * The bytes of a file: grey where all its pixels are, with alpha where one is not opaque.
 * @param {Picture} picture
 */
export function png({ frames, width, height, delays = [], texts = {} }) {
  const channels = frames.every(isOpaque) ? (frames.every(isGrey) ? 1 : 3) : 4, moves = frames.length > 1;
  const parts = [SIGNATURE, chunk('IHDR', width, height, Uint8Array.of(8, COLOUR_TYPES[channels], 0, 0, 0))];
  for (const [keyword, value] of Object.entries(texts)) parts.push(text(keyword, value));
  if (moves) parts.push(chunk('acTL', frames.length, 0)); // for ever
  let sequence = 0;
  for (const [i, rgba] of frames.entries()) {
    const data = zlibSync(rows(rgba, width, height, channels), { level: 9 });
    if (moves) parts.push(chunk('fcTL', sequence++, width, height, 0, 0, delay(delays[i])));
    parts.push(i ? chunk('fdAT', sequence++, data) : chunk('IDAT', data));
  }
  parts.push(chunk('IEND'));
  return join(parts);
}

/** Pixels of a frame, each row as its difference from the one above: rows of enlarged pictures repeat. */
function rows(/** @type {Uint8ClampedArray} */ rgba, /** @type {number} */ width, /** @type {number} */ height, /** @type {number} */ channels) {
  const UP = 2, stride = width * channels + 1, bytes = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    bytes[y * stride] = UP;
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const at = 4 * (y * width + x) + c;
        bytes[y * stride + 1 + x * channels + c] = rgba[at] - (y ? rgba[at - 4 * width] : 0);
      }
    }
  }
  return bytes;
}

/** A frame's delay as two 16-bit numbers; the frame stays, and the next one takes the place of all of it. */
function delay([seconds, of] = /** @type {[number, number]} */ ([1, 10])) {
  return Uint8Array.of(seconds >> 8, seconds & 255, of >> 8, of & 255, 0, 0);
}

function isGrey(/** @type {Uint8ClampedArray} */ rgba) {
  for (let i = 0; i < rgba.length; i += 4) if (rgba[i] !== rgba[i + 1] || rgba[i] !== rgba[i + 2]) return false;
  return true;
}

function isOpaque(/** @type {Uint8ClampedArray} */ rgba) {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return false;
  return true;
}

function join(/** @type {Uint8Array[]} */ parts) {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return bytes;
}
