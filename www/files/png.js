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
  await save([rgba], grid, scale, { ...options, ...(step === undefined ? {} : { step }) }, [step === undefined ? '' : `step${step}`, scale === 1 ? '' : `${scale}x`]);
}

/**
 * Frames of a run in a row.
 * @param {Uint8ClampedArray[]} frames
 * @param {{ count: number, width: number, height: number }} grid
 * @param {Record<string, unknown>} options that made it
 * @param {number} scale pixels of the file for one of the picture
 */
export const saveStrip = (frames, grid, options, scale) => save(frames, grid, scale, options, ['film']);

/**
 * @param {Uint8ClampedArray[]} frames
 * @param {{ count: number, width: number, height: number }} grid
 * @param {number} scale
 * @param {Record<string, unknown>} options
 * @param {string[]} ending of the name
 */
async function save(frames, grid, scale, options, ending) {
  const small = document.createElement('canvas'), canvas = document.createElement('canvas');
  for (const [i, rgba] of frames.entries()) {
    drawGrid(small, rgba, grid);
    const [width, height] = [scale * small.width, scale * small.height];
    if (!i) Object.assign(canvas, { width: width * frames.length, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.imageSmoothingEnabled = false;
    context.drawImage(small, i * width, 0, width, height);
  }
  /** @type {Blob} */
  const blob = await new Promise((resolve, reject) => canvas.toBlob((made) => (made ? resolve(made) : reject(new Error('The browser could not encode the picture as PNG.'))), 'image/png'));
  download(await withText(blob, 'pollen', JSON.stringify(options)), nameOf(options, ending));
}

/**
 * Such as pollen-mnist-class3-ddim-20steps-seed0.png.
 * @param {Record<string, unknown>} options
 * @param {string[]} ending
 */
function nameOf({ model, class: label, sampler, steps, seed }, ending) {
  const parts = ['pollen', model, label === null ? '' : `class${label}`, sampler, `${steps}steps`, `seed${seed}`, ...ending];
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
