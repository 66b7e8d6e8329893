// Animated GIF files: at most 256 colours a frame, times in hundredths of a second.
import { applyPalette, GIFEncoder, quantize } from '../vendor/gifenc.js';
import { enlarge } from './enlarge.js';

const COLOURS = 256;

/**
 * The bytes of a file that is played for ever.
 * @param {{ frames: Uint8ClampedArray[], width: number, height: number, scale: number, delays: [seconds: number, of: number][] }} film
 */
export function gif({ frames, width, height, scale, delays }) {
  const encoder = GIFEncoder(), common = exact(frames);
  let time = 0, shown = 0; // seconds, and what of them is written, in milliseconds: rounding does not add up
  for (const [i, rgba] of frames.entries()) {
    time += delays[i][0] / delays[i][1];
    const delay = 10 * Math.round(100 * time) - shown;
    shown += delay;
    const palette = common?.palette ?? quantize(rgba, COLOURS), small = common ? common.index(rgba) : applyPalette(rgba, palette);
    const index = enlarge(small, width, height, scale, 1);
    encoder.writeFrame(index, width * scale, height * scale, { delay, repeat: 0, ...(i && common ? {} : { palette }) });
  }
  encoder.finish();
  return encoder.bytes();
}

/** All the colours of the frames, where a palette has room for them: gifenc itself looks for the nearest among coarser ones. */
function exact(/** @type {Uint8ClampedArray[]} */ frames) {
  /** @type {Map<number, number>} */ const places = new Map();
  for (const rgba of frames) {
    for (let i = 0; i < rgba.length; i += 4) if (!places.has(colour(rgba, i))) places.set(colour(rgba, i), places.size);
    if (places.size > COLOURS) return null;
  }
  return {
    palette: [...places.keys()].map((one) => [one >> 16, (one >> 8) & 255, one & 255]),
    index: (/** @type {Uint8ClampedArray} */ rgba) => Uint8Array.from({ length: rgba.length / 4 }, (_, i) => places.get(colour(rgba, 4 * i)) ?? 0),
  };
}

const colour = (/** @type {Uint8ClampedArray} */ rgba, /** @type {number} */ i) => (rgba[i] << 16) | (rgba[i + 1] << 8) | rgba[i + 2];
