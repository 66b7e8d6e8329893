// The formula of a reverse step with its numbers.
import { $ } from '../../ui/dom.js';
import { figure } from '../../ui/numbers.js';

/**
 * The step as it was done: x_t′ = a·x̂_0 + b·x_t + c·ε + σ·z, terms that are zero left out.
 * @param {Pick<import('../../api/types.js').ReverseStep, 't' | 'tNext' | 'terms'>} step
 */
export function showTerms({ t, tNext, terms }) {
  /** @type {[number, string][]} */
  const all = [
    [terms.x0, '<msub class="signal"><mover><mi>x</mi><mo>^</mo></mover><mn>0</mn></msub>'],
    [terms.xt, `<msub><mi>x</mi><mn>${t}</mn></msub>`],
    [terms.eps, '<msub class="noise"><mi>ε</mi><mi>θ</mi></msub>'],
    ...terms.history.map((factor, i) => /** @type {[number, string]} */ ([factor, `<msub><mi>m</mi><mn>${i + 1}</mn></msub>`])),
    [terms.sigma, '<mi class="noise">z</mi>'],
  ];
  const sum = all.filter(([factor]) => factor !== 0).map(([factor, symbol], i) => {
    const sign = factor < 0 ? '<mo>−</mo>' : i ? '<mo>+</mo>' : '';
    return `${sign}<mn>${figure(Math.abs(factor))}</mn><mspace width="0.2em"></mspace>${symbol}`;
  });
  $('step-live', MathMLElement).innerHTML = `<msub><mi>x</mi><mn>${tNext}</mn></msub><mo>=</mo>${sum.join('') || '<mn>0</mn>'}`;
}
