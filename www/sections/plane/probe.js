// The formulas at one place of the plane, with their numbers.
import { $ } from '../../ui/dom.js';
import { figure } from '../../ui/numbers.js';
import { denoised, scoreAt, weightsAt } from './score.js';

/** @typedef {[x: number, y: number]} Point */

const SHOWN = 2; // terms of the sum

const decimal = (/** @type {number} */ value) => value.toFixed(3).replace('-', '−');
const pair = (/** @type {ArrayLike<number>} */ of, write = decimal, look = '') => `<mrow${look && ` class="${look}"`}><mo stretchy="false">(</mo><mn>${write(of[0])}</mn><mo>,</mo><mn>${write(of[1])}</mn><mo stretchy="false">)</mo></mrow>`;
const HAT = '<msub class="signal"><mover><mi>x</mi><mo>^</mo></mover><mn>0</mn></msub>';

/**
 * A sum of the terms with the largest weights.
 * @param {ArrayLike<number>} weights
 * @param {(place: number) => string} term MathML of the place-th
 */
export function weighted(weights, term, shown = SHOWN) {
  const order = Array.from(weights, (_, i) => i).sort((a, b) => weights[b] - weights[a]).slice(0, shown);
  const all = order.map((i) => `<mn>${decimal(weights[i])}</mn><mspace width="0.2em"></mspace>${term(i)}`);
  return [...all, ...(weights.length > shown ? ['<mo>…</mo>'] : [])].join('<mo>+</mo>');
}

/**
 * @param {Point} x
 * @param {number} t
 * @param {Point[]} points
 * @param {number} alphaBar
 * @returns {Point | null} x̂_0
 */
export function showProbe(x, t, points, alphaBar) {
  $('plane-probe').hidden = !points.length;
  if (!points.length) return null;
  const data = Float64Array.from(points.flat()), mean = denoised(x, data, alphaBar), weights = weightsAt(x, data, alphaBar);
  $('plane-live-x', MathMLElement).innerHTML = `<mi>x</mi><mo>=</mo>${pair(x)}<mo>,</mo><mspace width="0.6em"></mspace><mi>t</mi><mo>=</mo><mn>${t}</mn><mo>,</mo><mspace width="0.6em"></mspace><msub><mover><mi>α</mi><mo>¯</mo></mover><mi>t</mi></msub><mo>=</mo><mn>${figure(alphaBar)}</mn>`;
  $('plane-live-x0', MathMLElement).innerHTML = `${HAT}<mo>=</mo>${weighted(weights, (i) => pair(points[i], decimal, 'signal'))}<mo>=</mo>${pair(mean, decimal, 'signal')}`;
  const score = $('plane-live-score', MathMLElement), none = t === 0; // without noise nothing but the points is left to have a density
  score.innerHTML = none ? '' : `<mi>score</mi><mo>=</mo><mfrac><mrow><mn>${decimal(Math.sqrt(alphaBar))}</mn><mspace width="0.2em"></mspace>${pair(mean, decimal, 'signal')}<mo>−</mo>${pair(x)}</mrow><mn>${figure(1 - alphaBar)}</mn></mfrac><mo>=</mo>${pair(scoreAt(x, data, alphaBar), figure)}`;
  return [mean[0], mean[1]];
}
