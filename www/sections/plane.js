// A plane where all is visible: its fields, from the start; what moves there (plane/walk.js) is fetched once it comes near.
import { $, fields } from '../ui/dom.js';
import { complain } from '../ui/runs.js';
import { evaluations, SAMPLERS, samplersKnown } from '../ui/samplers.js';
import { whenNear } from '../ui/seen.js';
import { RANDOM } from './plane/solvers.js';

/** @type {Promise<typeof import('./plane/walk.js')> | undefined} */ let begun;
const begin = () => (begun ??= import('./plane/walk.js'));

const EXACT = 1200; // predictions of an exact path, and four for each step that it is compared at
const field = fields('plane-form');
let points = 0;

/** @param {number} count of points that there are */
export const pointsAre = (count) => { points = count; };

/** Distances from a point that walking as it is set up computes. */
export function work() {
  const { sampler: { value: sampler }, steps: { valueAsNumber: steps }, count } = field;
  return !SAMPLERS[sampler] ? NaN : count.valueAsNumber * points * (evaluations(sampler, steps) + (RANDOM.has(sampler) ? 0 : EXACT + 4 * steps));
}

export function startPlane() {
  $('plane-form').addEventListener('submit', (event) => { event.preventDefault(); begin().then(({ walk }) => walk()).catch(complain); });
  $('plane-t').addEventListener('restore', (event) => {
    field.t.value = /** @type {CustomEvent<string>} */ (event).detail;
    field.t.dispatchEvent(new Event('input'));
  });
  samplersKnown.then(() => {
    for (const group of /** @type {NodeListOf<HTMLOptGroupElement>} */ (field.sampler.querySelectorAll('optgroup'))) {
      const own = Object.values(SAMPLERS).filter(({ name }) => RANDOM.has(name) === (group.dataset.noise === 'fresh'));
      group.replaceChildren(...own.map(({ name, title }) => new Option(title, name)));
    }
    field.sampler.value = 'ddim';
    for (const option of field.sampler.options) option.defaultSelected = option.selected;
  }, () => {});
  whenNear($('plane-canvas'), () => { begin().catch(complain); });
}
