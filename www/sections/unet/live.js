// The formulas of a convolution and of attention with the numbers of the pixel that is picked.
import { $ } from '../../ui/dom.js';
import { lines, live, num, plus } from '../../ui/live.js';

/** @import { Window } from './sums.js' */

const SHOWN = 3; // pixels that are looked at most

function tell(/** @type {string} */ text, /** @type {string} */ formula) {
  $('u-live-text').hidden = !text;
  $('u-live-text').textContent = text;
  live('u-live', formula);
}

export const clearLive = () => tell('', '');

/**
 * @param {number} bias
 * @param {number} total
 * @param {Window} window of an input channel
 * @param {{ channel: number, of: number }} which of them
 */
export function liveConvolution(bias, total, { inputs, weights, sum }, { channel, of }) {
  const kernel = Math.sqrt(inputs.length), rest = total - bias - sum;
  const rows = Array.from({ length: kernel }, (_, row) => inputs.slice(row * kernel, (row + 1) * kernel).map((input, column) => plus(weights[row * kernel + column], input)).join(''));
  tell(`The number that is picked: the bias, each weight times what it meets in input channel ${channel}${of > 1 ? `, and what the other ${of - 1} channels add` : ''}.`,
    lines([`<mi>y</mi><mo>=</mo>${num(bias)}`, ...rows, `${of > 1 ? `<mo>${rest < 0 ? '−' : '+'}</mo>${num(Math.abs(rest))}` : ''}<mo>=</mo>${num(total)}`]));
}

/**
 * @param {Float64Array} weights of all pixels
 * @param {ArrayLike<number>} values of all pixels
 * @param {number} total
 */
export function liveAttention(weights, values, total) {
  const most = Array.from(weights, (_, p) => p).sort((a, b) => weights[b] - weights[a]).slice(0, SHOWN), rest = total - most.reduce((sum, p) => sum + weights[p] * values[p], 0);
  tell(`The number that is picked, by attention: the ${most.length} pixels that count most, each weight a times its value v, and what the others add.`,
    lines([`<mi>y</mi><mo>=</mo>${plus(weights[most[0]], values[most[0]]).replace('<mo>+</mo>', '')}`, ...most.slice(1).map((p) => plus(weights[p], values[p])), `<mo>${rest < 0 ? '−' : '+'}</mo>${num(Math.abs(rest))}<mo>=</mo>${num(total)}`]));
}
