// The solvers that the page offers: the engine's table of them, and how the page picks from it.
import { pollen } from '../api/pollen.js';

/**
 * @import { Sampler } from '../api/types.js'
 *
 * @typedef {{ sampler?: string, steps?: number, guidance?: number, clip?: boolean, eta?: number, class?: number }} Defaults
 * what a model's entry says of the fields
 */

/** By name. Empty until `samplersKnown`. @type {Record<string, Sampler>} */
export const SAMPLERS = {};

export const samplersKnown = pollen.samplers().then((all) => { for (const sampler of all) SAMPLERS[sampler.name] = sampler; });
samplersKnown.catch(() => {}); // main.js says why the engine did not start

/**
 * Evaluations of the network in a chain of `steps` steps.
 * @param {string} sampler
 * @param {number} steps
 */
export function evaluations(sampler, steps) {
  const { each, last } = SAMPLERS[sampler].evaluations;
  return each * (steps - 1) + last;
}

/**
 * What a model's entry says of the solver, or the solver's own defaults.
 * @param {{ defaults?: Defaults } | null} model
 * @param {string} sampler
 */
export function defaultsOf(model, sampler) {
  const preferred = model?.defaults ?? {};
  const of = sampler === preferred.sampler ? preferred : {};
  return { steps: SAMPLERS[sampler].steps, guidance: 1, clip: false, eta: SAMPLERS[sampler].eta ?? 0, ...of };
}

/**
 * The sampler that a model begins with.
 * @param {{ defaults?: Defaults } | null} model
 */
export function firstSampler(model) {
  const wanted = model?.defaults?.sampler ?? '';
  return Object.hasOwn(SAMPLERS, wanted) ? wanted : 'ddim';
}

/** The guidance that a model begins with, which by another sampler is no other: else pictures side by side are not of one question. */
export const guidanceOf = (/** @type {{ defaults?: Defaults } | null} */ model) => defaultsOf(model, firstSampler(model)).guidance;

/** Options for a select. */
export const samplerOptions = () => Object.values(SAMPLERS).map(({ name, title }) => new Option(title, name));
