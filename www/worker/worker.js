// The engine's side: loads the WebAssembly module and serves the calls of engine.js one after another.
import { fetchModel, titleOf } from '../files/models.js';
import { directly, through } from '../files/outside.js';
import { millions } from '../ui/numbers.js';
import { Call } from './call.js';
import { closedForms } from './closed.js';
import { loadFiles } from './files.js';
import { activations, operations } from './inside.js';
import { relaxed } from './relaxed.js';
import { times } from './times.js';
import { trainOps } from './train.js';
import { tune } from './tuning.js';

/**
 * @import { ActivationOptions, Executor, GpuKernels, Adapter, BoundTerm, DiffuseOptions, DistanceOptions, GenerateOptions, LikelihoodOptions, ModelFile, IdealDenoiserOptions, PredictOptions, ReverseStep, ForwardFrame, Generation, Shape, TimesOptions } from '../api/types.js'
 *
 * @typedef {{ shape: Shape, label?: number | null }} Asked the shape of a picture of the model and the label of the class
 */

/** @type {typeof import('../wasm/pollen.js')} */ let wasm;
/** @type {import('../wasm/pollen.js').Engine} */ let engine;
/** @type {Call | null} */ let current = null; // the call being served
/** @type {Adapter['device']} */ let on = 'cpu';

const seconds = (/** @type {number} */ began) => (performance.now() - began) / 1000;

/**
 * Milliseconds of the same few layers, compiled before: the least of three runs.
 * @param {import('../wasm/pollen.js').Engine} on
 */
async function timed(on) {
  await on.probe(64, 1);
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    await on.probe(64, 1);
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

/** The texts of all shaders, which only a GPU needs. */
async function shaders() {
  const address = new URL('../wasm/shaders.json', import.meta.url);
  const answer = await fetch(address).catch((error) => { throw Error(`${address} could not be fetched (${messageOf(error)})`); });
  if (!answer.ok) throw Error(`${address} was answered with ${answer.status}; publish the whole folder wasm/`);
  return answer.text();
}

/**
 * The GPU if there is one and it opens, else the processor, with the reason. Where the "GPU" is a program on the processor
 * and none is asked for, whichever is faster.
 * @param {Executor} device
 * @param {GpuKernels} [kernels] those to take on a GPU, whatever it is
 * @returns {Promise<Adapter>}
 */
async function open(device, kernels) {
  const processor = () => wasm.Engine.open('cpu');
  /** @type {Adapter['reason']} */ let reason = 'asked';
  /** @type {string | null} */ let detail = null;
  if (device !== 'cpu') {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
    reason = adapter ? 'failed' : navigator.gpu ? 'no-adapter' : 'no-webgpu';
    if (adapter) {
      try {
        engine = await wasm.Engine.open('gpu', await shaders());
        const { description, vendor, architecture } = adapter.info ?? /** @type {Partial<GPUAdapterInfo>} */ ({});
        const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'the GPU';
        if (device === 'auto' && engine.software) {
          const other = await processor(), [gpu, cpu] = [await timed(engine), await timed(other)];
          if (cpu < gpu) {
            engine.free();
            engine = other;
            detail = `${name} computes on the processor too, and took ${gpu.toFixed(0)} ms for four layers that take Pollen's own code ${cpu.toFixed(0)} ms.`;
            return { device: 'cpu', name: 'the processor', software: true, reason: 'slower', detail, kernels: null, chosen: null };
          }
          other.free();
        }
        const { software } = engine;
        if (kernels) engine.tune(kernels);
        /** @type {Pick<Adapter, 'kernels' | 'chosen'>} */
        const by = kernels ? { kernels, chosen: 'asked' } : software ? { kernels: 'software', chosen: null }
          : await tune(engine, JSON.stringify([vendor, architecture, adapter.info?.device, description]));
        return { device: 'gpu', name, software, reason: null, detail, ...by };
      } catch (error) {
        detail = messageOf(error);
      }
    }
  }
  engine = await processor();
  return { device: 'cpu', name: 'the processor', software: true, reason, detail, kernels: null, chosen: null };
}

/**
 * The network's outputs for several x_t of the shape [, C, H, W], each at its timestep, 0…T−1.
 * @param {Float32Array} sample
 * @param {ArrayLike<number>} timesteps
 * @param {Asked} asked
 */
async function answers(sample, timesteps, { shape: [, c, h, w], label }) {
  const classLabels = label == null ? undefined : Array(timesteps.length).fill(label);
  return (await ops.predict({ sample, shape: [timesteps.length, c, h, w], timestep: Array.from(timesteps), classLabels })).prediction;
}

const ops = {
  async start(/** @type {{ device: Executor, kernels?: GpuKernels }} */ { device, kernels }) {
    try {
      wasm = await import('../wasm/pollen.js');
      if (await relaxed((await wasm.default()).memory)) wasm.fuse();
    } catch (error) {
      throw named('EngineError', `The engine's WebAssembly could not be loaded (${messageOf(error)}).`);
    }
    const adapter = await open(device, kernels);
    on = adapter.device;
    return adapter;
  },

  async diffuse(/** @type {DiffuseOptions & { draw: boolean }} */ { image, draw, ...options }, /** @type {Call} */ call) {
    const began = performance.now();
    const sample = await engine.diffuse(image, options, draw, (/** @type {ForwardFrame | null} */ frame) => call.step(frame, frame ? [frame.rgba.buffer] : []));
    return { steps: options.steps ?? 1000, seconds: seconds(began), sample };
  },

  forwardFrame: (/** @type {{ t: number, way: string, tensor?: boolean }} */ { t, way, tensor = false }) => engine.forwardFrame(t, way, tensor),

  async loadModel(/** @type {{ url?: string, files: ModelFile[], title?: string, outside?: MessagePort, elsewhere?: boolean, models?: string }} */ { url, files, title: called, outside, elsewhere, models }, /** @type {Call} */ call) {
    const get = outside ? through(outside) : elsewhere ? directly : undefined;
    const fetched = url ? await fetchModel(url, { sha256: wasm.sha256, onProgress: call.progress, signal: call.abort.signal, get, models }) : null;
    const { model, files: used } = await loadFiles(engine, fetched?.files ?? files, { call, get });
    const { id, title } = fetched ?? titleOf(used.map(({ path }) => path));
    const size = `U-Net ${model.height}×${model.width}, ${millions(model.parameters)} M parameters`;
    // Of what this page was published with nothing is worth keeping, should the visitor ask for it.
    return { model: { ...model, id, title: called ?? title ?? size }, files: fetched?.recorded ? null : used };
  },

  inspect: (/** @type {{ batch?: number }} */ { batch = 1 }) => engine.inspect(batch),

  setShader: (/** @type {{ name: string, text: string }} */ { name, text }) => engine.setShader(name, text),

  async predict(/** @type {PredictOptions} */ { sample, shape, timestep, classLabels }) {
    const given = [timestep].flat();
    const timesteps = Float32Array.from({ length: shape[0] }, (_, i) => given[i % given.length]);
    const prediction = await engine.predict(sample, shape[2], shape[3], timesteps, classLabels && Float32Array.from(classLabels), undefined, undefined, 0, false);
    return { prediction, shape: [shape[0], prediction.length / (shape[0] * shape[2] * shape[3]), shape[2], shape[3]] };
  },

  operations: (/** @type {{ shape: Shape }} */ options) => operations(engine, options),
  activations: (/** @type {ActivationOptions} */ options, /** @type {Call} */ call) => activations(engine, options, () => call.breathe()),
  tensor: (/** @type {{ name: string }} */ { name }) => engine.predict(new Float32Array(), 0, 0, new Float32Array(), undefined, undefined, name, 0, false),

  times: (/** @type {TimesOptions} */ options, /** @type {Call} */ call) => times(engine, on, options, call),
  peaks: async (/** @type {{}} */ _, /** @type {Call} */ call) => (await import('./peaks.js')).peaks(call),

  async generate(/** @type {GenerateOptions & { draw: boolean }} */ { noise, image, mask, jump, resample, draw, ...options }, /** @type {Call} */ call) {
    const began = performance.now(), ways = [jump, resample].filter((given) => given !== undefined);
    if (ways.length && !mask) throw named('InputError', 'jump and resample are of a picture that is filled in: give its mask, or leave them out.');
    if (!ways.every((given) => Number.isSafeInteger(given) && given > 0 && given < 2 ** 31)) throw named('InputError', `jump and resample are whole numbers from 1 on, not ${ways.join(' and ')}.`);
    const onStep = (/** @type {ReverseStep | null} */ step) => call.step(step, step ? [step.xt, step.x0, ...(step.eps ? [step.eps] : [])].map(({ buffer }) => buffer) : []);
    const made = /** @type {Omit<Generation, 'seconds'>} */ (await engine.generate(options, noise, image, mask && Float32Array.from(mask), jump ?? 10, resample ?? 10, draw, onStep));
    return { ...made, seconds: seconds(began) };
  },

  ...trainOps(() => ({ wasm, engine, call: /** @type {Call} */ (current) })),

  async likelihood(/** @type {LikelihoodOptions & Asked} */ { image, seed = 0, timesteps = 0, values = false, ...asked }, /** @type {Call} */ call) {
    const began = performance.now(), /** @type {BoundTerm[]} */ terms = [], bits = (/** @type {number} */ nats) => nats / (image.length * Math.LN2);
    const bound = engine.bound(image, seed, timesteps), most = engine.software ? 4 : 16;
    const tell = (/** @type {number} */ t, /** @type {number} */ nats, /** @type {number} */ weight, /** @type {Float64Array | null} */ each = null) => {
      terms.push({ t, nats, bitsPerDim: bits(nats), weight });
      return call.step({ ...terms.at(-1), ...(each ? { values: each } : {}) });
    };
    await tell(bound.timesteps + 1, bound.prior, 1);
    for (let at; (at = bound.next(most)).length;) {
      const terms = /** @type {{ t: number, nats: number, weight: number }[]} */ (bound.take(await answers(bound.draw(most), at, asked)));
      const all = values ? bound.values() : null, part = 5 * image.length;
      for (const [i, { t, nats, weight }] of terms.entries()) await tell(t, nats, weight, all && all.slice(i * part, (i + 1) * part));
    }
    bound.free();
    const nats = terms.reduce((sum, term) => sum + term.weight * term.nats, 0);
    return { terms, nats, bitsPerDim: bits(nats), estimate: terms.length < terms[0].t, seconds: seconds(began) };
  },

  async sampleIdealDenoiser(/** @type {IdealDenoiserOptions} */ options, /** @type {Call} */ call) {
    const { images, shape: [, channels, height, width], count = 1, sampler, steps, seed, tensor } = options, began = performance.now();
    const chain = new wasm.IdealChain(images, { sampler, steps, seed, channels, height, width, count });
    while (chain.done < chain.steps) {
      const step = /** @type {Parameters<NonNullable<IdealDenoiserOptions['onStep']>>[0]} */ (chain.step());
      await call.step({ ...step, count, height, width, ...(tensor ? { sample: chain.sample() } : {}) }, [step.xt.buffer, step.x0.buffer]);
    }
    const made = { sample: chain.sample(), shape: [count, channels, height, width], steps: chain.steps, seconds: seconds(began) };
    chain.free();
    return made;
  },

  async distanceToIdealDenoiser(/** @type {DistanceOptions & Asked} */ { images, timesteps, seed = 0, ...asked }, /** @type {Call} */ call) {
    const [, c, h, w] = asked.shape, terms = [];
    for (const t of timesteps) {
      const noised = engine.noised(images, t, seed), at = Array(noised.length / (c * h * w)).fill(t - 1);
      const rmse = engine.distanceToIdealDenoiser(noised, await answers(noised, at, asked), images, t);
      terms.push({ t, rmse });
      await call.step(terms.at(-1));
    }
    return terms;
  },
};

/** @type {Record<string, (args: any, call: Call) => unknown>} */
const calls = ops;

onmessage = async ({ data }) => {
  if (data.cancel) { if (current?.id === data.cancel) current?.cancel(); return; }
  if (data.pause) { if (current && current.id === data.pause) current.paused = true; return; }
  if (data.drawn) { if (current?.id === data.drawn) current?.drawn(); return; }
  const { id, op, args, ahead } = data;
  const closed = Object.hasOwn(closedForms, op) && closedForms[op];
  if (closed) return answer(id, async () => closed(wasm, args));
  const call = current = new Call(id, ahead);
  await answer(id, () => calls[op](args, call));
  current = null;
};

/**
 * Sends what `work` gives, or how it failed.
 * @param {number} id
 * @param {() => unknown} work
 */
async function answer(id, work) {
  try {
    postMessage({ id, result: await work() });
  } catch (error) {
    postMessage({ id, error: { name: /** @type {{ name?: string }} */ (error)?.name ?? 'EngineError', message: messageOf(error) } });
  }
}

const messageOf = (/** @type {unknown} */ error) => /** @type {{ message?: string }} */ (error)?.message ?? String(error);

/**
 * @param {string} name
 * @param {string} message
 */
function named(name, message) {
  return Object.assign(new Error(message), { name });
}
