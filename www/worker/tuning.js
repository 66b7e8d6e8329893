// Which kernels suit a GPU: those for few SIMDs, as in the package of a processor, or those for many. Both are timed the first time
// that an adapter is met in a version of a browser, and the choice is kept: the other ones round differently.

/** @import { Engine } from '../wasm/pollen.js' */

const CACHE = 'pollen-tuning', ROUND_MS = 15, MOST = 1024, ROUNDS = 3, BETTER = 0.95;

/**
 * Sets the kernels of `engine`; gives their class, and whether it was timed now or kept.
 * @param {Engine} engine
 * @param {string} adapter what tells it from others
 * @returns {Promise<{ kernels: 'small' | 'large', chosen: 'timed' | 'kept' }>}
 */
export async function tune(engine, adapter) {
  const cache = await globalThis.caches?.open(CACHE).catch(() => null); // none without https, or where the visitor forbids it
  const place = `${globalThis.origin}/${CACHE}/${encodeURIComponent(`${adapter}, ${navigator.userAgent}`)}`;
  const kept = await cache?.match(place).then((found) => found?.text());
  if (kept === 'small' || kept === 'large') {
    engine.tune(kept === 'small');
    return { kernels: kept, chosen: 'kept' };
  }
  const kernels = await faster(engine);
  engine.tune(kernels === 'small');
  await cache?.put(place, new Response(kernels)).catch(() => {}); // a full disk: timed again the next time
  return { kernels, chosen: 'timed' };
}

/** Both in turns, each as often as takes the large ones a few screens' time; the large ones where there is little between them. */
async function faster(/** @type {Engine} */ engine) {
  const run = async (/** @type {boolean} */ small, /** @type {number} */ times) => {
    engine.tune(small);
    await engine.probe(1); // makes the kernels
    const began = performance.now();
    await engine.probe(times);
    return performance.now() - began;
  };
  let times = 1;
  while (times < MOST && (await run(false, times)) < ROUND_MS) times *= 4;
  /** @type {[number, number]} */ const least = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, small] of [false, true].entries()) least[at] = Math.min(least[at], await run(small, times));
  }
  return least[1] < BETTER * least[0] ? 'small' : 'large';
}
