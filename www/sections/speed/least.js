// The least time that a kernel, or a whole pass, can take on a device of known peaks.
import { $ } from '../../ui/dom.js';
import { lines, live, num, text } from '../../ui/live.js';

/**
 * @import { NetworkOperation, PassTimes, Peaks } from '../../api/types.js'
 * @typedef {{ name: string, ms: number, flops: number, bytes: number }} Work
 */

const BYTES = 4; // of a number between two kernels
const size = (/** @type {NetworkOperation} */ { shape }) => shape.reduce((product, n) => product * n, 1);

/**
 * What the kernel of an operation reads and writes at least: its result, its weights, and what other kernels wrote for it, each once.
 * @param {NetworkOperation[]} all
 * @param {number} place
 * @param {number} weight bytes
 */
export function bytesOf(all, place, weight) {
  const read = new Set(), inside = (/** @type {number} */ at) => {
    const { inputs, flops, shape: [, h, w], operation } = all[at];
    let weights = operation === 'conv2d' || operation === 'linear' ? flops / (2 * h * w) : 0;
    for (const input of inputs) {
      if (all[input].kernel || all[input].operation === 'input') read.add(input);
      else weights += inside(input);
    }
    return weights;
  };
  const weights = inside(place);
  return weights * weight + BYTES * (size(all[place]) + [...read].reduce((sum, input) => sum + size(all[input]), 0));
}

/**
 * The kernels of a pass of that name, or all of them.
 * @param {PassTimes} times
 * @param {NetworkOperation[]} all
 * @param {number} weight bytes
 * @param {string | null} [kernel]
 * @returns {Omit<Work, 'name' | 'ms'>}
 */
export function workOf({ kernels }, all, weight, kernel = null) {
  const same = kernels.filter((one) => kernel === null || one.kernel === kernel);
  return { flops: same.reduce((sum, { flops }) => sum + flops, 0), bytes: same.reduce((sum, { place }) => sum + (place === null ? 0 : bytesOf(all, place, weight)), 0) };
}

const unit = (/** @type {string} */ name) => `<mspace width="0.2em"></mspace>${text(name)}`;

/** Of each the formula; without peaks, which a processor has not been measured for, its rate alone. @param {Work[]} works @param {Peaks | null} peaks */
export function showLeast(works, peaks) {
  $('speed-live-text').hidden = false;
  $('speed-live-text').textContent = `${peaks ? 'With the numbers measured here' : 'Without peaks only the rate can be told'}: ${works.map(({ name }) => name).join(', then ')}.${peaks ? ' Bytes are the least that it can do with: what it reads and writes, each once.' : ''}`;
  live('speed-live', lines(works.flatMap(({ ms, flops, bytes }) => {
    const part = (/** @type {number} */ value, /** @type {string} */ name, /** @type {number} */ by, /** @type {string} */ per) => `<mfrac><mrow>${num(value)}${unit(name)}</mrow><mrow>${num(by)}${unit(per)}</mrow></mfrac>`;
    if (!peaks) return [`${part(flops / 1e9, 'GFLOP', ms, 'ms')}<mo>=</mo>${num(flops / ms / 1e6)}${unit('GFLOP/s')}`];
    const [arithmetic, memory] = [1000 * flops / peaks.flops, 1000 * bytes / peaks.bytes];
    return [
      `${num(ms)}${unit('ms')}<mo>≥</mo><mi>max</mi><mrow><mo>(</mo>${part(flops / 1e9, 'GFLOP', peaks.flops / 1e9, 'GFLOP/s')}<mo>,</mo>${part(bytes / 1e6, 'MB', peaks.bytes / 1e9, 'GB/s')}<mo>)</mo></mrow>`,
      `<mo>=</mo><mi>max</mi><mo stretchy="false">(</mo>${num(arithmetic)}<mo>,</mo>${num(memory)}<mo stretchy="false">)</mo>${unit('ms')}<mo>=</mo>${num(Math.max(arithmetic, memory))}${unit('ms')}`,
    ];
  })));

}
