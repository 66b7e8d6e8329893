// The small CNN that reads digits (tests/fixtures/classifier says how it was trained), evaluated here.
import { readFileSync } from 'node:fs';
import { readTensors } from './safetensors.js';

const weights = readTensors(readFileSync(new URL('../../fixtures/classifier/classifier.safetensors', import.meta.url)));
const LAYERS = ['conv1', 'conv2', 'pool', 'conv3', 'conv4', 'pool', 'conv5', 'pool'];

/** @typedef {{ side: number, data: Float32Array }} Planes [channels, side, side] */

/**
 * 3×3 with zero padding, then ReLU.
 * @param {Planes} x
 * @param {string} name
 */
function convolve({ side, data: x }, name) {
  const { shape: [outputs, inputs], data: w } = weights[`${name}.weight`];
  const data = new Float32Array(outputs * side * side);
  for (let o = 0; o < outputs; o++) {
    const plane = data.subarray(o * side * side, (o + 1) * side * side).fill(weights[`${name}.bias`].data[o]);
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < 9; k++) {
        const factor = w[(o * inputs + i) * 9 + k], [dy, dx] = [Math.floor(k / 3) - 1, (k % 3) - 1];
        for (let r = Math.max(0, -dy); r < side - Math.max(0, dy); r++) {
          for (let c = Math.max(0, -dx); c < side - Math.max(0, dx); c++) {
            plane[r * side + c] += factor * x[(i * side + r + dy) * side + c + dx];
          }
        }
      }
    }
  }
  return { side, data: data.map((value) => Math.max(0, value)) };
}

/**
 * Maxima of 2×2; an odd last row and column are dropped.
 * @param {Planes} x
 */
function pool({ side, data: x }) {
  const half = side >> 1, channels = x.length / (side * side), data = new Float32Array(channels * half * half);
  for (let c = 0, at = 0; c < channels; c++) {
    for (let r = 0; r < half; r++) {
      for (let s = 0; s < half; s++) {
        const corner = (c * side + 2 * r) * side + 2 * s;
        data[at++] = Math.max(x[corner], x[corner + 1], x[corner + side], x[corner + side + 1]);
      }
    }
  }
  return { side: half, data };
}

/**
 * The ten logits of a picture.
 * @param {Float32Array} picture 28 × 28 values in [−1, 1], ink at 1
 */
export function logits(picture) {
  const { data } = LAYERS.reduce((x, layer) => (layer === 'pool' ? pool(x) : convolve(x, layer)), { side: 28, data: picture });
  const { 'linear.weight': { data: w }, 'linear.bias': { data: bias } } = weights;
  return Array.from(bias, (/** @type {number} */ b, digit) => data.reduce((sum, x, i) => sum + x * w[digit * data.length + i], b));
}

/**
 * The digit that a picture is read as.
 * @param {Float32Array} picture
 */
export function classify(picture) {
  const all = logits(picture);
  return all.indexOf(Math.max(...all));
}
