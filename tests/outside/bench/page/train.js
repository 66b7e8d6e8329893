// A step of training of the page's small network, by Pollen and by TensorFlow.js: the same picture, weights, noise, loss and Adam. First
// the losses of a few steps and the gradient's norm are compared, then steps are timed in turns.
import { countsOf } from './count.js';
import { pollen, tensorflow } from './engines.js';
import { since } from './measure.js';
import { network, parse, repeated } from './tf-unet.js';

const EDGE = 32, CHANNELS = 3, BATCH = 8, IMAGE = CHANNELS * EDGE * EDGE, RATE = 1e-3;
/** Steps that are compared, and how far losses and norms may lie apart, relatively. */
const COMPARED = 3, FARTHEST = 1e-3;
const REFERENCE = 'Pollen, processor';

/** 16/32/64 channels with attention at 8². */
const CONFIG = {
  _class_name: 'UNet2DModel', sample_size: EDGE, in_channels: CHANNELS, out_channels: CHANNELS, block_out_channels: [16, 32, 64], layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'DownBlock2D', 'AttnDownBlock2D'], up_block_types: ['AttnUpBlock2D', 'UpBlock2D', 'UpBlock2D'], attention_head_dim: 32,
  norm_num_groups: 8, norm_eps: 1e-5, act_fn: 'silu', freq_shift: 0, flip_sin_to_cos: true, resnet_time_scale_shift: 'default',
};

/** One picture that is its own mirror image. */
const pixels = Uint8Array.from({ length: IMAGE }, (_, i) => {
  const column = i % EDGE, row = Math.floor(i / EDGE) % EDGE;
  return (Math.floor(i / EDGE / EDGE) * 97 + row * 5 + Math.min(column, EDGE - 1 - column) * 11) % 256;
});

/** The seed of a step's draws, as `step_seed` in src/train/objective.rs has it for seed 0. */
const seed = (/** @type {number} */ step) => {
  const whole = (/** @type {bigint} */ z) => BigInt.asUintN(64, z);
  let z = whole(BigInt(step) * 0xD1B54A32D192ED03n + 1n);
  z = whole((z ^ (z >> 30n)) * 0xBF58476D1CE4E5B9n);
  z = whole((z ^ (z >> 27n)) * 0x94D049BB133111EBn);
  return Number((z ^ (z >> 31n)) & 0xFFFFFFFFn);
};

/** DDPM's ᾱ at timestep 0…999. */
const alphaBar = (/** @type {number} */ t) => {
  let product = 1;
  for (let i = 0; i <= t; i++) product *= 1 - (1e-4 + (i * (0.02 - 1e-4)) / 999);
  return product;
};

/**
 * What Pollen draws for a step: with mirroring, which this picture does not show, eight timesteps and eight coins come before the
 * noise, 16 numbers; PyTorch's `randn` makes its own in blocks of 16, so that the seed's own noise goes on just there.
 * @param {any} module @param {number} step @param {number[]} timesteps
 */
const batch = (module, step, timesteps) => {
  const { sample } = module.jump(undefined, BATCH + 1, CHANNELS, EDGE, EDGE, seed(step), 0);
  const target = sample.slice(2 * BATCH, 2 * BATCH + BATCH * IMAGE);
  const x = target.map((/** @type {number} */ noise, /** @type {number} */ i) => {
    const bar = alphaBar(timesteps[Math.floor(i / IMAGE)]);
    return Math.sqrt(bar) * (pixels[i % IMAGE] / 127.5 - 1) + Math.sqrt(1 - bar) * noise;
  });
  return { x, target, timesteps };
};

const ours = async (/** @type {string} */ device) => {
  const { engine, module } = await pollen(device);
  const scheduler = { _class_name: 'DDPMScheduler', num_train_timesteps: 1000, beta_start: 1e-4, beta_end: 0.02, beta_schedule: 'linear', prediction_type: 'epsilon' };
  const recipe = { batch: BATCH, at_once: BATCH, rate: RATE, clip: 0, flips: true, seed: 0 };
  const training = await engine.train(pixels, undefined, { channels: CHANNELS, height: EDGE, width: EDGE, config: CONFIG, scheduler, recipe }, undefined);
  const weights = (await training.files(false))['diffusion_pytorch_model.safetensors'];
  const step = async () => {
    await training.step(true);
    return training.step(false);
  };
  return { module, weights, step, close: () => training.free() };
};

/** The kernels that a step asks a backend of TensorFlow.js for, as far as one of them has told. */
const kernels = new Set();

const theirs = async (/** @type {'cpu' | 'wasm' | 'webgpu'} */ backend, /** @type {Uint8Array} */ file, /** @type {any[]} */ batches) => {
  const { tf, use } = await tensorflow(backend, true);
  const missing = [...kernels].filter((kernel) => !tf.getKernel(kernel, backend));
  if (missing.length) throw new Error(`its backend has no ${missing.join(', ')}`);
  const frozen = parse(tf, file), variables = Object.fromEntries(Object.entries(frozen).map(([name, tensor]) => [name, tf.variable(tensor)]));
  tf.dispose(frozen);
  const predict = network(tf, CONFIG, variables, repeated), adam = tf.train.adam(RATE, 0.9, 0.999, 1e-8), list = Object.values(variables);
  const inputs = batches.map(({ x, target, timesteps }) => tf.tidy(() => {
    const image = (/** @type {Float32Array} */ data) => tf.transpose(tf.tensor(data, [BATCH, CHANNELS, EDGE, EDGE]), [0, 2, 3, 1]);
    return { x: image(x), target: image(target), t: tf.tensor1d(timesteps) };
  }));
  const loss = (/** @type {any} */ { x, target, t }) => () => tf.mean(tf.square(tf.sub(predict(x, t), target)));
  let done = 0;
  return {
    // The first steps tell the gradient's norm, too.
    step: async () => {
      await use();
      const input = inputs[Math.min(done, inputs.length - 1)];
      if (done++ >= COMPARED) {
        const cost = adam.minimize(loss(input), true, list), [value] = await cost.data();
        cost.dispose();
        return { loss: value };
      }
      const told = await tf.profile(() => tf.tidy(() => {
        const { value, grads } = tf.variableGrads(loss(input), list);
        const squares = Object.values(grads).map((grad) => tf.sum(tf.square(grad)));
        adam.applyGradients(grads);
        return [value, ...squares];
      }));
      told.kernelNames.filter((/** @type {string} */ name) => !name.endsWith('__op')).forEach((/** @type {string} */ name) => kernels.add(name));
      const [[value], ...squares] = await Promise.all(told.result.map((/** @type {any} */ of) => of.data()));
      tf.dispose(told.result);
      return { loss: value, norm: Math.sqrt(squares.reduce((sum, [square]) => sum + square, 0)) };
    },
    close: () => tf.dispose([variables, inputs.flatMap(Object.values)]),
  };
};

/** Times `engines` in turns, each with `rounds` of one step. */
export const train = async (/** @type {{ engines: { name: string, rounds: number }[] }} */ { engines }) => {
  const first = await ours('cpu'), right = [], batches = [];
  for (let step = 0; step < COMPARED; step++) {
    const report = await first.step();
    right.push(report);
    batches.push(batch(first.module, step, report.timesteps));
  }
  first.close();
  /** @type {Record<string, () => Promise<any>>} */
  const makers = {
    [REFERENCE]: () => ours('cpu'), 'Pollen, WebGPU': () => ours('gpu'),
    'TensorFlow.js, JavaScript': () => theirs('cpu', first.weights, batches), 'TensorFlow.js, wasm': () => theirs('wasm', first.weights, batches),
    'TensorFlow.js, WebGPU': () => theirs('webgpu', first.weights, batches),
  };
  const results = [];
  for (const { name: engine, rounds } of engines) {
    /** @type {any} */ const result = { engine, rounds, times: [], refused: null, apart: 0, norm: 0 };
    results.push(result);
    try {
      result.session = (await since(engine, makers[engine])).result;
      for (const [step, { loss, norm }] of right.entries()) {
        const { result: report, ms } = await since(engine, result.session.step);
        if (step === 0) result.first = ms;
        result.apart = Math.max(result.apart, Math.abs(report.loss / loss - 1));
        result.norm = Math.max(result.norm, Math.abs(report.norm / norm - 1));
      }
      if (!(result.apart <= FARTHEST && result.norm <= FARTHEST)) {
        throw new Error(`its losses lie ${result.apart.toExponential(1)} and its gradients' norms ${result.norm.toExponential(1)} from those of ${REFERENCE}, relatively`);
      }
      const before = { ...countsOf(engine) };
      await since(engine, result.session.step);
      const after = countsOf(engine);
      if (after.submits) result.counts = { dispatches: after.dispatches - before.dispatches, submits: after.submits - before.submits, bytes: after.peak };
    } catch (error) {
      result.refused = String(error instanceof Error ? error.message : error).split('\n')[0];
    }
  }
  for (let round = 0; round < Math.max(...results.map(({ rounds }) => rounds)); round++) {
    for (const result of results) {
      if (result.refused !== null || round >= result.rounds) continue;
      result.times.push((await since(result.engine, result.session.step)).ms);
    }
  }
  for (const result of results) {
    await result.session?.close();
    delete result.session;
  }
  return { losses: right.map(({ loss }) => loss), results };
};
