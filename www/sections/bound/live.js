// The bound with its numbers: the sum, and the term under the cursor with the Gaussians of the value that costs most in it.
import { $ } from '../../ui/dom.js';
import { figure } from '../../ui/numbers.js';
import { lines, live, normal, num, sub } from '../../ui/live.js';
import { gaussiansAt } from './picker.js';

/**
 * @import { BoundTerm } from '../../api/types.js'
 * @import { Measured } from '../likelihood.js'
 *
 * @typedef {{ index: number, q: { mean: number, variance: number }, p: { mean: number, variance: number }, nats: number }} Worst the value that costs most
 */

/** Of a term, where its Gaussians are known. @returns {Worst | null} */
export function worstOf(/** @type {Measured} */ measured, /** @type {number} */ t) {
  const all = measured.values.get(t), count = measured.image.length;
  if (!all) return null;
  let most = 0;
  for (let i = 1; i < count; i++) if (all[5 * i + 4] > all[5 * most + 4]) most = i;
  return { index: most, ...gaussiansAt(measured, t, most) };
}

/** @param {{ prior: number, between: number, first: number }} parts in bits/dim */
export function liveSum({ prior, between, first }) {
  live('bound-live', lines([
    `${sub('L', 'T')}<mo>+</mo><mo>∑</mo><msub><mi>L</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow></msub><mo>+</mo>${sub('L', 0)}`,
    `<mo>=</mo>${num(prior)}<mo>+</mo>${num(between)}<mo>+</mo>${num(first)}<mo>=</mo>${num(prior + between + first)}<mspace width="0.3em"></mspace><mtext>bits/dim</mtext>`,
  ]));
}

/**
 * @param {Pick<BoundTerm, 't' | 'nats' | 'bitsPerDim'>} term
 * @param {Worst | null} worst
 * @param {{ width: number, height: number, channels: number }} of
 */
export function liveTerm({ t, nats, bitsPerDim }, worst, { width, height, channels }) {
  const dimensions = width * height * channels, place = worst ? worst.index % (width * height) : 0;
  $('bound-term').hidden = false;
  $('bound-term').textContent = `The term under the chart’s cursor, at t = ${t}: ${figure(nats)} nats, divided by ln 2 and by D = ${dimensions}.${worst ? ` Of its ${dimensions} Gaussians, those of the value that costs most, in column ${place % width}, row ${Math.floor(place / width)}${channels > 1 ? ` of ${['red', 'green', 'blue'][Math.floor(worst.index / (width * height))]}` : ''}:` : ''}`;
  const rows = [`${sub('L', t - 1)}<mo>=</mo>${num(bitsPerDim)}<mspace width="0.3em"></mspace><mtext>bits/dim</mtext>`];
  if (worst) {
    const { q, p, nats: own } = worst, predicted = normal(p.mean, Math.sqrt(p.variance), 'noise');
    rows.push(t > 1
      ? `<msub><mi>D</mi><mtext>KL</mtext></msub><mo stretchy="false">(</mo>${normal(q.mean, Math.sqrt(q.variance), 'signal')}<mo>∥</mo>${predicted}<mo stretchy="false">)</mo>`
      : `<mo>−</mo><mi>ln</mi><mspace width="0.2em"></mspace><mo>∫</mo>${predicted}`, `<mo>=</mo>${num(own)}<mspace width="0.3em"></mspace><mtext>nats</mtext>`);
  }
  live('bound-term-live', lines(rows));
}
