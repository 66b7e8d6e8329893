// One number of a layer's result, made again from those that the layer read: what the page shows is what the device computed.

/**
 * @import { NetworkOperation } from '../../api/types.js'
 *
 * @typedef {{ channel: number, y: number, x: number }} Spot a number of a result
 * @typedef {object} Window what one input channel adds to a convolution's sum
 * @property {number[]} inputs k × k, 0 beyond the edge
 * @property {number[]} weights k × k
 * @property {number} sum of their products
 */

const at = (/** @type {number[]} */ [, h, w], /** @type {Spot} */ { channel, y, x }) => (channel * h + y) * w + x;

/**
 * The sum of a convolution or linear layer, input channel by input channel.
 * @param {NetworkOperation} layer
 * @param {{ values: Float32Array, shape: number[] }} input
 * @param {{ weight: Float32Array, bias: Float32Array }} tensors of all its outputs, stacked
 * @param {Spot} spot
 */
export function convolution({ numbers: { kernel = 1, stride = 1, padding = 0 } }, { values, shape: [channels, h, w] }, { weight, bias }, { channel, y, x }) {
  /** @type {Window[]} */ const windows = [];
  const taps = kernel * kernel;
  for (let c = 0; c < channels; c++) {
    const inputs = [], weights = [];
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const row = y * stride + Math.floor(tap / kernel) - padding, column = x * stride + (tap % kernel) - padding;
      const input = row >= 0 && row < h && column >= 0 && column < w ? values[(c * h + row) * w + column] : 0;
      const factor = weight[(channel * channels + c) * taps + tap];
      inputs.push(input);
      weights.push(factor);
      sum += input * factor;
    }
    windows.push({ inputs, weights, sum });
  }
  return { windows, bias: bias[channel], total: bias[channel] + windows.reduce((all, { sum }) => all + sum, 0) };
}

/**
 * Where a pixel of attention looks: for each head the weights of all pixels, which sum to 1, and the number that they make.
 * @param {number} heads
 * @param {Float32Array} qkv queries, keys and values, [3C, H, W]
 * @param {number[]} shape of the result
 * @param {Spot} spot
 */
export function attention(heads, qkv, [channels, h, w], { channel, y, x }) {
  const area = h * w, wide = channels / heads, query = y * w + x;
  const maps = Array.from({ length: heads }, (_, head) => {
    const scores = new Float64Array(area);
    for (let c = head * wide; c < (head + 1) * wide; c++) {
      const q = qkv[c * area + query];
      for (let p = 0; p < area; p++) scores[p] += q * qkv[(channels + c) * area + p];
    }
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity), root = Math.sqrt(wide);
    const weights = scores.map((score) => Math.exp((score - most) / root)), sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });
  const head = Math.floor(channel / wide);
  return { maps, head, total: maps[head].reduce((sum, weight, p) => sum + weight * qkv[(2 * channels + channel) * area + p], 0) };
}

const erf = (/** @type {number} */ x) => {
  // Abramowitz and Stegun 7.1.26 is too coarse for five digits; the series and the continued fraction are not.
  const size = Math.abs(x);
  if (size < 3) {
    let term = x, sum = x;
    for (let n = 1; n < 80; n++) { term *= -x * x / n; sum += term / (2 * n + 1); }
    return 2 * sum / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = (n / 2) / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (size + fraction)));
};

/** The functions of activations by their numbers. @type {((x: number) => number)[]} */
export const FUNCTIONS = [
  (x) => x, (x) => x / (1 + Math.exp(-x)), (x) => x * Math.tanh(Math.log1p(Math.exp(x))), (x) => x * (1 + erf(x / Math.SQRT2)) / 2, (x) => Math.max(0, x),
];

/**
 * The numbers that any other operation reads for one of its own, and what it makes of them; null for what is not made so.
 * @param {NetworkOperation} one
 * @param {{ values: Float32Array, shape: number[] }[]} inputs
 * @param {Spot} spot
 * @returns {{ terms: [name: string, value: number][], total: number } | null}
 */
export function pointwise({ operation, numbers, shape: [channels, h, w] }, inputs, spot) {
  const [a, b] = inputs, { channel, y, x } = spot, own = (/** @type {typeof a} */ input) => input.values[at(input.shape, spot)];
  switch (operation) {
    case 'activation': return { terms: [['x', own(a)]], total: FUNCTIONS[numbers.function](own(a)) };
    case 'affine': {
      const [gain, offset] = [b.values[channel], b.values[channels + channel]];
      return { terms: [['x', own(a)], ['a', gain], ['b', offset]], total: gain * own(a) + offset };
    }
    case 'add': return b && { terms: [['a', own(a)], ['b', own(b)]], total: numbers.scale * (own(a) + own(b)) };
    case 'add_channels': return { terms: [['x', own(a)], ['e', b.values[numbers.offset + channel]]], total: own(a) + b.values[numbers.offset + channel] };
    case 'concat': {
      const second = channel >= a.shape[0], from = second ? b : a;
      const value = from.values[at(from.shape, { ...spot, channel: second ? channel - a.shape[0] : channel })];
      return { terms: [[second ? 's' : 'x', value]], total: value };
    }
    case 'upsample': {
      const value = a.values[at(a.shape, { channel, y: y >> 1, x: x >> 1 })];
      return { terms: [['x', value]], total: value };
    }
    case 'pool': {
      const four = [0, 1, 2, 3].map((i) => a.values[at(a.shape, { channel, y: 2 * y + (i >> 1), x: 2 * x + (i & 1) })]);
      return { terms: four.map((value, i) => [`x${'₁₂₃₄'[i]}`, value]), total: four.reduce((sum, value) => sum + value, 0) / 4 };
    }
    case 'scale_offset': return { terms: [['x', own(a)]], total: numbers.scale * own(a) + numbers.offset };
    default: return null;
  }
}
