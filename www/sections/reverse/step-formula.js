// The formula of a reverse step with its numbers.
import { live, sub, sum } from '../../ui/live.js';

/**
 * The step as it was done: x_t′ = a·x̂_0 + b·x_t + c·ε + σ·z, terms that are zero left out.
 * @param {Pick<import('../../api/types.js').ReverseStep, 't' | 'tNext' | 'terms'>} step
 * @param {string} [id] of the formula
 */
export function showTerms({ t, tNext, terms }, id = 'step-live') {
  live(id, `<msub data-sym="xprev"><mi>x</mi><mn>${tNext}</mn></msub><mo>=</mo>${sum([
    [terms.x0, '<msub class="signal"><mover><mi>x</mi><mo>^</mo></mover><mn>0</mn></msub>'],
    [terms.xt, sub('x', t)],
    [terms.eps, '<msub class="noise"><mi>ε</mi><mi>θ</mi></msub>'],
    ...terms.history.map((factor, i) => /** @type {[number, string]} */ ([factor, sub('m', i + 1)])),
    [terms.sigma, '<mi class="noise">z</mi>'],
  ])}`);
}
