// A solver's chain in the plane, run by the engine in a Worker of its own, beside whatever the page's first one does.
import { beside } from '../../api/pollen.js';
import { keptAt } from './exact.js';
import { SCALED } from './solvers.js';

/** @typedef {[x: number, y: number]} Point */

export const pairs = (/** @type {ArrayLike<number>} */ all) => Array.from({ length: all.length / 2 }, (_, i) => /** @type {Point} */ ([all[2 * i], all[2 * i + 1]]));

/**
 * The states of a chain, x_t with the variance that it has in the forward chain, from the noise on.
 * @param {{ sampler: string, steps: number, seed: number, count: number }} options
 * @param {{ images: Float32Array, shape: import('../../api/types.js').Shape }} data
 * @param {ArrayLike<number>} alphaBar
 * @param {(made: { step: number, steps: number, t: number, before: ArrayLike<number>, after: ArrayLike<number>, tNext: number, corrects: boolean, xt: Uint8ClampedArray, x0: Uint8ClampedArray, width: number, height: number, count: number }) => void | Promise<void>} onStep
 * hears of each; one that `corrects` takes the place of the state before, as every second of Heun's does
 */
export async function chain(options, data, alphaBar, onStep) {
  const engine = beside(), [, ...one] = data.shape, scaled = SCALED.has(options.sampler);
  const noise = await engine.randn({ seed: options.seed, shape: [options.count, ...one] });
  /** @type {ArrayLike<number> | null} */ let before = null;
  return engine.sampleIdealDenoiser({
    ...options, ...data, tensor: true,
    onStep: ({ sample = new Float32Array(), ...step }) => {
      const { t, tNext } = step, kept = scaled ? keptAt(alphaBar, tNext) : 1, after = sample.map((value) => kept * value);
      // Those in σ-space begin with σ_T times the noise.
      before ??= scaled ? noise.map((value) => Math.sqrt(1 - keptAt(alphaBar, t) ** 2) * value) : noise;
      const heard = onStep({ ...step, before, after, corrects: t === tNext });
      before = after;
      return heard;
    },
  });
}

/**
 * The paths in the plane, and the timesteps of their states.
 * @param {Parameters<typeof chain>[0]} options
 * @param {Point[]} points
 * @param {ArrayLike<number>} alphaBar
 */
export async function pathsOf(options, points, alphaBar) {
  /** @type {number[]} */ const at = [];
  /** @type {Point[][]} */ const paths = Array.from({ length: options.count }, () => []);
  await chain(options, { images: Float32Array.from(points.flat()), shape: [points.length, 1, 1, 2] }, alphaBar, ({ t, tNext, before, after, corrects }) => {
    if (!at.length) {
      at.push(t);
      pairs(before).forEach((place, i) => paths[i].push(place));
    }
    if (corrects) at.pop();
    at.push(tNext);
    pairs(after).forEach((place, i) => { if (corrects) paths[i].pop(); paths[i].push(place); });
  });
  return { at, paths };
}
