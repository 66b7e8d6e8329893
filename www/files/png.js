// The finished grid as a PNG file that carries the settings it was made with (a tEXt chunk named "pollen").
import { download } from './download.js';
import { drawGrid } from '../ui/canvas.js';

/**
 * @param {{ rgba: Uint8ClampedArray, shape: number[] }} generation
 * @param {{ model: string, seed: number }} options
 */
export async function saveGrid({ rgba, shape: [count, , height, width] }, options) {
  const canvas = document.createElement('canvas');
  drawGrid(canvas, rgba, { count, width, height });
  /** @type {Blob} */
  const blob = await new Promise((resolve, reject) => canvas.toBlob((made) => (made ? resolve(made) : reject(new Error('The browser could not encode the picture as PNG.'))), 'image/png'));
  download(await withText(blob, 'pollen', JSON.stringify(options)), `pollen-${options.model}-seed${options.seed}.png`);
}

/**
 * Adds the chunk right after IHDR, which ends at byte 33 of every PNG.
 * @param {Blob} png
 * @param {string} keyword
 * @param {string} text
 */
async function withText(png, keyword, text) {
  const body = new TextEncoder().encode(`tEXt${keyword}\0${text}`);
  const chunk = new Uint8Array(body.length + 8), view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(4 + body.length, crc32(body));
  return new Blob([png.slice(0, 33), chunk, png.slice(33)], { type: 'image/png' });
}

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
