// The frame of the film that is shown, as a state from which chains go on.
import { pollen } from '../../api/pollen.js';
import { adapterName } from '../../ui/runs.js';
import { SAMPLERS } from '../../ui/samplers.js';
import { chosen, load } from '../models/shelf.js';
import { forEngine } from '../reverse/fields.js';
import { current } from '../reverse/film.js';

/** @import { Report } from '../../ui/runs.js' */
/** @typedef {ReturnType<typeof shownFrame>} Shown */

const SCALED = ['euler', 'euler-a', 'heun']; // those whose state is x_t ⁄ √ᾱ_t
export const STATE = ['ddim', 'ddpm', 'dpmpp-2m', 'unipc', 'lcm', 'tcd', ...SCALED]; // the others’ is x_t itself

/**
 * The frame, and the timesteps, 0…T−1, that are still to be visited, the nearest whole ones and each once; an error where it cannot
 * be gone on from.
 */
export function shownFrame() {
  const shown = current();
  if (!shown) throw new Error('There is no run to branch yet. Press Generate and stop its film at the frame from which other futures shall lead.');
  const { options, model, steps, index, frames } = shown, { title } = SAMPLERS[options.sampler];
  if (model !== chosen()) throw new Error(`The film is one of ${model.title}, which is not the model that is chosen now. Choose it again, or generate anew.`);
  if (!STATE.includes(options.sampler)) throw new Error(`From ${title} no other solver goes on. Generate with ${STATE.slice(0, 4).map((name) => SAMPLERS[name].title).join(', ')} and branch that.`);
  return { ...shown, options: /** @type {any} */ (options), rest: [...new Set(steps.slice(index + 1, frames.last + 1).map(({ t }) => Math.round(t) - 1))] };
}

/**
 * x_t of the first picture of that frame: the run is made again until there.
 * @param {Shown} shown
 * @param {Report} report
 */
export async function stateOf({ options, steps, index, rest, numbers: { count, width, height } }, report) {
  const { channels } = await load(report), going = `Going to t = ${rest[0] + 1} again, on ${adapterName()}.`;
  const all = index
    ? (await pollen.generate({ ...forEngine(options), until: index, onStep: ({ step }) => report(step, index, going, `step ${step} of ${index}`) })).sample
    : await pollen.randn({ seed: options.seed, shape: [count, channels, height, width] });
  const scale = index && SCALED.includes(options.sampler) ? Math.sqrt(steps[index].terms.alphaBarNext) : 1;
  return all.slice(0, all.length / count).map((value) => scale * value);
}

/**
 * What other chains from a frame have in common with its run: all but the solver.
 * @param {Shown} shown
 */
export function commonOf({ options }) {
  const { class: label, guidance, negative, width, height } = options;
  return { class: label, ...(guidance === undefined ? {} : { guidance }), ...(negative === undefined ? {} : { negative }), ...(width ? { width, height } : {}) };
}
