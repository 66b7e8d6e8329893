// How long the run that is set up will take, going by the last one of the same network in this visit.
import { adapterName } from '../../ui/runs.js';
import { expected, timed } from '../../ui/pace.js';
import { seconds, stepsAndPasses } from '../../ui/numbers.js';
import { evaluations } from '../../ui/samplers.js';
import { $ } from '../../ui/dom.js';

/** @typedef {{ model: string, sampler: string, steps: number, count: number, guidance?: number }} Work */

document.addEventListener('timed', () => { import('../forecast.js').catch(() => {}); }, { once: true }); // main.js says where a section could not be fetched

/** Evaluations of the network, for one picture at a time. */
const cost = (/** @type {Work} */ { sampler, steps, count, guidance = 1 }) => evaluations(sampler, steps) * count * (guidance === 1 ? 1 : 2);

/**
 * @param {Work} work that was done
 * @param {number} ms
 */
export const measured = (work, ms) => timed(`pass ${work.model}`, cost(work), ms);

/**
 * @param {Work | null} work that is set up; null where the fields do not say
 * @param {boolean} [classless] whether there is a guidance that lacks its class
 */
export function estimate(work, classless = false) {
  const guided = (work?.guidance ?? 1) !== 1;
  $('r-passes').textContent = work ? `For each picture ${stepsAndPasses(work.steps, evaluations(work.sampler, work.steps), guided)}.${classless ? ' There is no guidance without a class.' : ''}` : '';
  const known = work ? expected(`pass ${work.model}`, cost(work)) : NaN;
  $('r-estimate').textContent = Number.isFinite(known) ? `About ${seconds(known)} on ${adapterName()}, going by the last run.` : '';
}
