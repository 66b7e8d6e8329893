// Writes picture files and zip files away from the page's thread. Started when one is first needed.
import { zipSync } from '../vendor/fflate.js';
import { enlarge, inRow } from '../files/enlarge.js';
import { gif } from '../files/gif.js';
import { png } from '../files/png.js';

/**
 * @typedef {object} Order
 * @property {'png' | 'apng' | 'gif'} format several frames become a row in a PNG
 * @property {Uint8ClampedArray[]} frames RGBA
 * @property {number} width of a frame
 * @property {number} height
 * @property {number} scale pixels of the file for one of the frame
 * @property {[seconds: number, of: number][]} delays
 * @property {Record<string, string>} texts
 */

const ops = {
  /** @param {Order} order */
  write({ format, frames, width, height, scale, delays, texts }) {
    if (format === 'gif') return gif({ frames, width, height, scale, delays });
    const large = (/** @type {Uint8ClampedArray} */ rgba, /** @type {number} */ across) => enlarge(rgba, across, height, scale, 4);
    const size = { width: width * scale, height: height * scale, texts };
    if (format === 'apng') return png({ ...size, frames: frames.map((rgba) => large(rgba, width)), delays });
    const across = width * frames.length;
    return png({ ...size, width: across * scale, frames: [large(inRow(frames, width, height), across)] });
  },

  /** Weights do not get smaller: they are stored as they are. */
  async zip(/** @type {File[]} */ files) {
    const entries = await Promise.all(files.map(async (file) => [file.name, new Uint8Array(await file.arrayBuffer())]));
    return zipSync(Object.fromEntries(entries), { level: 0, mtime: '1980-01-01' });
  },
};

onmessage = async ({ data: { id, op, args } }) => {
  try {
    const result = await /** @type {Record<string, (args: any) => unknown>} */ (ops)[op](args);
    postMessage({ id, result }, { transfer: result instanceof Uint8Array ? [result.buffer] : [] });
  } catch (error) {
    postMessage({ id, error: /** @type {Error} */ (error).message });
  }
};
