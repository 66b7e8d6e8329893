// The ideal denoiser of the visitor's pictures: its fields, from the start; the rest (ideal/sample.js) is fetched once it comes near.
import { $, fields } from '../ui/dom.js';
import { complain } from '../ui/runs.js';
import { evaluations, firstSampler, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { whenNear } from '../ui/seen.js';

/** @typedef {typeof import('./ideal/sample.js')} Sample */

export const MOST = 16; // pictures
const field = fields('ideal-denoiser-form');

/** What a sampling as it is set up asks of the processor: values that are compared. */
export function work() {
  const { size, channels } = fields('forward-form'), { sampler, steps, count, pictures } = field, all = Math.min(MOST, pictures.files?.length || 1);
  return !SAMPLERS[sampler.value] ? NaN : evaluations(sampler.value, steps.valueAsNumber) * count.valueAsNumber * all * size.valueAsNumber ** 2 * Number(channels.value);
}

export function startIdealDenoiser() {
  const /** @type {() => Promise<Sample>} */ begin = () => import('./ideal/sample.js');
  const then = (/** @type {(module: Sample) => unknown} */ act) => { begin().then(act).catch(complain); };
  $('ideal-denoiser-form').addEventListener('submit', (event) => { event.preventDefault(); then(({ sample }) => sample()); });
  $('compare').addEventListener('click', () => then(({ compare }) => compare()));
  field.pictures.addEventListener('change', () => then(({ take }) => take()));
  field.sampler.addEventListener('change', () => { field.steps.value = String(SAMPLERS[field.sampler.value].steps); });
  samplersKnown.then(() => {
    field.sampler.replaceChildren(...samplerOptions());
    for (const option of field.sampler.options) option.defaultSelected = option.value === firstSampler(null);
  }, () => {});
  // The room of its example is kept until that is there: what stands below moved by half a screen.
  $('ideal-denoiser').classList.add('awaits');
  whenNear($('ideal-denoiser'), () => then(({ example }) => example()), 150);
}
