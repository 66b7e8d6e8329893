// A bound that was measured before, so that its chart is there before a visitor has measured one.
/**
 * @import { BoundTerm } from '../../api/types.js'
 * @import { Worst } from './live.js'
 *
 * @typedef {object} Example
 * @property {string} model
 * @property {string} title of the model
 * @property {number} seed
 * @property {number} width
 * @property {number} height
 * @property {number} channels
 * @property {number} T
 * @property {(BoundTerm & { worst: Worst | null })[]} terms the prior first, then from t = T down
 */

/** @returns {Promise<Example>} */
export async function example() {
  const answer = await fetch(new URL('./example.json', import.meta.url));
  if (!answer.ok) throw new Error(`The recorded bound, sections/bound/example.json, could not be fetched: the server answered ${answer.status}. Measure one yourself.`);
  const { terms, ...of } = await answer.json(), count = of.width * of.height * of.channels;
  return { ...of, terms: terms.map((/** @type {number[]} */ [t, nats, weight, index, qMean, qVariance, pMean, pVariance, most]) => ({
    t, nats, weight, bitsPerDim: nats / (count * Math.LN2),
    worst: index === undefined ? null : { index, q: { mean: qMean, variance: qVariance }, p: { mean: pMean, variance: pVariance }, nats: most },
  })) };
}
