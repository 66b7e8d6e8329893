// The solvers that the page offers, what each can be told, and how the engine is told it.

/**
 * @typedef {{ sampler?: string, steps?: number, guidance?: number, clip?: boolean, eta?: number, class?: number }} Defaults
 * what a model's entry says of the fields
 */

/** `steps`: the default; `evaluations(n)`: of the network in n steps; `options`: the fields that belong to it. */
/** @type {Record<string, { title: string, steps: number, options: string[] }>} */
export const SAMPLERS = {
  ddim: { title: 'DDIM', steps: 20, options: ['eta'] },
  ddpm: { title: 'DDPM', steps: 1000, options: ['variance'] },
  'dpmpp-2m': { title: 'DPM-Solver++ 2M', steps: 20, options: ['clip'] },
  unipc: { title: 'UniPC', steps: 20, options: ['clip'] },
  euler: { title: 'Euler', steps: 20, options: [] },
  'euler-a': { title: 'Euler ancestral', steps: 20, options: [] },
  heun: { title: 'Heun', steps: 10, options: [] },
};

/** Evaluations of the network: Heun asks twice a step, but once in the last. */
export const evaluations = (/** @type {string} */ sampler, /** @type {number} */ steps) => (sampler === 'heun' ? 2 * steps - 1 : steps);

/**
 * x̂_0 held within [−1, 1]. DDPM and DDIM do so of themselves; DPM-Solver++ and UniPC by dynamic thresholding, which is
 * a clip where the largest limit is 1.
 */
export const CLIP = { thresholding: true, sample_max_value: 1 };

/**
 * What a model's entry says of the solver, or the solver's own defaults.
 * @param {{ defaults?: Defaults } | null} model
 * @param {string} sampler
 */
export function defaultsOf(model, sampler) {
  const preferred = model?.defaults ?? {};
  const of = sampler === preferred.sampler ? preferred : {};
  return { steps: SAMPLERS[sampler].steps, guidance: 1, clip: false, eta: 0, ...of };
}

/**
 * The sampler that a model begins with.
 * @param {{ defaults?: Defaults } | null} model
 */
export function firstSampler(model) {
  const wanted = model?.defaults?.sampler;
  return Object.hasOwn(SAMPLERS, wanted ?? '') ? wanted : 'ddim';
}

/** Options for a select. */
export const samplerOptions = () => Object.entries(SAMPLERS).map(([name, { title }]) => new Option(title, name));
