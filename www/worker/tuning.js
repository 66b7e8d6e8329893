// Which kernels suit a GPU: those for small ones, as in the package of a processor, for a desktop's, or for the largest. They are timed
// the first time that an adapter is met in a version of a browser, and the choice is kept: each class rounds in its own way.

/**
 * @import { Engine } from '../wasm/pollen.js'
 * @import { GpuKernels } from '../api/types.js'
 */

const CACHE = 'pollen-tuning', ROUND_MS = 25, SLOW_MS = 100, MOST = 1024, ROUNDS = 3, BETTER = 0.95;
/** The first is taken where there is little between them. */
const CLASSES = /** @type {const} */ (['large', 'small', 'huge']);
/** Channels of the layers: of few, a small GPU's kernels have enough to do; only of many, the largest one's. */
const PROBES = [64, 256];

/**
 * Sets the kernels of `engine`; gives their class, and whether it was timed now or kept.
 * @param {Engine} engine
 * @param {string} adapter what tells it from others
 * @returns {Promise<{ kernels: GpuKernels, chosen: 'timed' | 'kept' }>}
 */
export async function tune(engine, adapter) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => null); // none without https, or where the visitor forbids it
  const place = `${globalThis.origin}/${CACHE}/${encodeURIComponent(`${adapter}, ${navigator.userAgent}`)}`;
  const known = await cache?.match(place).then((found) => found?.text()), kept = CLASSES.find((kernels) => kernels === known);
  const kernels = kept ?? await fastest(engine);
  engine.tune(kernels);
  if (!kept) await cache?.put(place, new Response(kernels)).catch(() => {}); // a full disk: timed again the next time
  return { kernels, chosen: kept ? 'kept' : 'timed' };
}

/** Each class by the product of its times' shares of the first one's. @param {Engine} engine */
async function fastest(engine) {
  const shares = CLASSES.map(() => 1);
  for (const channels of PROBES) {
    const least = await timed(engine, channels);
    least.forEach((ms, at) => { shares[at] *= ms / least[0]; });
    if (least[0] > SLOW_MS) break; // four times the work would keep the visitor waiting
  }
  const best = Math.min(...shares);
  return best < BETTER ? CLASSES[shares.indexOf(best)] : CLASSES[0];
}

/**
 * Milliseconds of each class, in turns, for as many passes as take the first one a screen's time.
 * @param {Engine} engine
 * @param {number} channels
 */
async function timed(engine, channels) {
  const run = async (/** @type {GpuKernels} */ kernels, /** @type {number} */ times) => {
    engine.tune(kernels);
    const began = performance.now();
    await engine.probe(channels, times);
    return performance.now() - began;
  };
  for (const kernels of CLASSES) await run(kernels, 1); // makes them
  let times = 1;
  while (times < MOST && (await run(CLASSES[0], times)) < ROUND_MS) times *= 4;
  const least = CLASSES.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, kernels] of CLASSES.entries()) least[at] = Math.min(least[at], await run(kernels, times));
  }
  return least;
}
