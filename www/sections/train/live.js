// The loss and Adam's step with the numbers of the last step of the training.
import { pollen } from '../../api/pollen.js';
import { $ } from '../../ui/dom.js';
import { figure } from '../../ui/numbers.js';
import { lines, live, num } from '../../ui/live.js';
import { complain } from '../../ui/runs.js';

/**
 * @import { TrainingReport } from '../../api/types.js'
 * @import { Settings } from './display.js'
 */

const ALL = 4, SHOWN = 3; // pictures that are written out; of more, so many
const GAMMA = 5, BETA1 = 0.9, BETA2 = 0.999, CLIP = 1; // as the page trains
/** @type {ArrayLike<number> | null} */ let alphaBar = null; // of the default schedule, which trainings here have
/** @type {[TrainingReport, Settings] | null} */ let waiting = null; // for it

/** @param {Pick<Settings, 'prediction' | 'weights'>} how @param {number} snr */
export function weightOf({ prediction, weights }, snr) {
  if (weights === 'equal') return 1;
  const capped = Math.min(snr, GAMMA);
  return prediction === 'epsilon' ? (snr ? capped / snr : 1) : capped / (snr + 1);
}

/**
 * @param {TrainingReport} report
 * @param {Settings} about
 */
export function liveStep(report, about) {
  if (!alphaBar) {
    if (!waiting) pollen.schedule().then((schedule) => { alphaBar = schedule.alphaBar; if (waiting) liveStep(...waiting); }, complain);
    waiting = [report, about];
    return;
  }
  const { step, loss, norm, rate, timesteps, losses } = report;
  const of = alphaBar, equal = about.weights === 'equal', simple = equal && about.prediction === 'epsilon' && about.loss === 'square';
  const term = (/** @type {number} */ i) => {
    const t = timesteps[i] + 1, weight = weightOf(about, of[t] / (1 - of[t]));
    return `<munder><mrow>${equal ? '' : `${num(weight)}<mo>·</mo>`}${num(losses[i])}</mrow><mrow><mi>t</mi><mo>=</mo><mn>${t}</mn></mrow></munder>`;
  };
  const count = losses.length, shown = count > ALL ? SHOWN : count, all = Array.from({ length: shown }, (_, i) => term(i)).join('<mo>+</mo>');
  $('t-live-text').hidden = false;
  $('t-live-text').textContent = `Step ${step} in numbers: of each picture its timestep and its error${equal ? '' : ', times the weight of that timestep'}; the gradient g, of norm ${figure(norm)}${norm > CLIP ? ', shortened to 1' : ''}; and the step, where m and v are running means of g and of g².`;
  live('t-live', lines([
    `${simple ? '<msub><mi>L</mi><mtext>simple</mtext></msub>' : '<mi>L</mi>'}<mo>=</mo><mfrac><mn>1</mn><mn>${count}</mn></mfrac><mrow><mo>(</mo>${all}${count > shown ? '<mo>+</mo><mo>…</mo>' : ''}<mo>)</mo></mrow><mo>=</mo>${num(loss)}`,
    `<mi>g</mi><mo>=</mo>${norm > CLIP ? `${num(CLIP / norm)}<mspace width="0.2em"></mspace>` : ''}<mo>∇</mo><mi>L</mi>`,
    `<mi>θ</mi><mo>←</mo><mi>θ</mi><mo>−</mo>${num(rate)}<mo>·</mo><mfrac><mrow><mi>m</mi><mo>/</mo>${num(1 - BETA1 ** step)}</mrow><mrow><msqrt><mi>v</mi><mo>/</mo>${num(1 - BETA2 ** step)}</msqrt><mo>+</mo><msup><mn>10</mn><mn>−8</mn></msup></mrow></mfrac>`,
  ]));
}
