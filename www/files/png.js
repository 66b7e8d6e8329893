// The finished grid as a PNG file that carries the settings it was made with (a tEXt chunk named "pollen").
import { download } from './download.js';
import { drawGrid } from '../ui/canvas.js';

/**
 * @param {Uint8ClampedArray} rgba
 * @param {{ count: number, width: number, height: number }} grid
 * @param {Record<string, unknown>} options that made it
 * @param {{ scale: number, step?: number }} how pixels of the file for one of the picture, and the step where it is not the last
 */
export async function saveGrid(rgba, grid, options, { scale, step }) {
  const small = document.createElement('canvas'), canvas = document.createElement('canvas');
  drawGrid(small, rgba, grid);
  Object.assign(canvas, { width: scale * small.width, height: scale * small.height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  /** @type {Blob} */
  const blob = await new Promise((resolve, reject) => canvas.toBlob((made) => (made ? resolve(made) : reject(new Error('The browser could not encode the picture as PNG.'))), 'image/png'));
  download(await withText(blob, 'pollen', JSON.stringify({ ...options, ...(step === undefined ? {} : { step }) })), nameOf(options, scale, step));
}

/**
 * Such as pollen-mnist-class3-ddim-20steps-seed0.png.
 * @param {Record<string, unknown>} options
 * @param {number} scale
 * @param {number | undefined} step
 */
function nameOf({ model, class: label, sampler, steps, seed }, scale, step) {
  const parts = ['pollen', model, label === null ? '' : `class${label}`, sampler, `${steps}steps`, `seed${seed}`, step === undefined ? '' : `step${step}`, scale === 1 ? '' : `${scale}x`];
  return `${parts.filter(Boolean).join('-').replace(/[^\w.-]+/g, '-')}.png`;
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
