// The measurements, each from a call of the engine alone.
import { pollen } from '../../api/pollen.js';
import { network } from '../train/sizes.js';

/** @import { Model, Shape } from '../../api/types.js' */

const SECONDS = 1.5, EDGE = 32, BATCH = 8, MOST = 100;
export const SMALL = { size: 'small', edge: EDGE, channels: 3, batch: BATCH };

/** A pass over one picture: the model's noise at its noisiest timestep. @param {Model} model */
export async function measurePass({ channels, height, width, classes, any, trainSteps, parameters }) {
  const shape = /** @type {Shape} */ ([1, channels, height, width]);
  const sample = await pollen.randn({ seed: 0, shape });
  const times = await pollen.times({ sample, shape, timestep: trainSteps - 1, classLabels: classes ? [any ?? 0] : undefined, seconds: SECONDS });
  const { weight_bytes: held } = await pollen.inspect(), all = await pollen.operations({ shape });
  return { times, all, weight: held / parameters, flops: times.kernels.reduce((sum, { flops }) => sum + flops, 0) };
}

/** Steps a second of the reverse chain, without guidance and without drawing. @param {number} ms of a pass */
export async function measureSampling(ms) {
  await pollen.generate({ sampler: 'ddim', steps: 1 }); // makes the kernels
  const steps = Math.max(2, Math.min(MOST, Math.ceil((1000 * SECONDS) / ms))), { seconds } = await pollen.generate({ sampler: 'ddim', steps });
  return { sampler: 'ddim', steps, stepsPerSecond: steps / seconds };
}

/** Training steps of the page's small network, on pictures that are made up: what is in them does not change what they take. */
export async function measureTraining() {
  const pixels = Uint8Array.from({ length: BATCH * 3 * EDGE * EDGE }, (_, i) => (i * 37) % 256);
  const training = await pollen.train({ pixels, channels: 3, height: EDGE, width: EDGE, config: network(SMALL), recipe: { batch: BATCH, at_once: BATCH } });
  try {
    const run = async (/** @type {number} */ more) => {
      const began = performance.now();
      await training.run({ steps: training.step + more });
      return performance.now() - began;
    };
    await run(1); // makes the kernels
    const first = await run(1), steps = Math.max(1, Math.min(MOST, Math.floor((1000 * SECONDS) / first)));
    const ms = steps === 1 ? first : (await run(steps)) / steps;
    return { network: `16/32/64 channels, ${EDGE}×${EDGE}`, batch: BATCH, steps, ms, picturesPerSecond: (1000 * BATCH) / ms };
  } finally {
    await training.free();
  }
}
