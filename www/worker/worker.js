// The engine's side: loads the WebAssembly module and serves the calls of pollen.js one after another.
import { fetchModel, readModel } from '../files/models.js';
import { through } from '../files/outside.js';
import { millions } from '../ui/numbers.js';
import { trainOps } from './train.js';

let wasm = null;
let engine = null;
let call = null; // the one being served

class Call {
  #drawn = 0;
  #sent = 0;
  #wake = null;
  #yielded = performance.now();
  paused = false;
  abort = new AbortController();

  constructor(id, ahead) { Object.assign(this, { id, ahead }); }

  tell(event, value) { postMessage({ id: this.id, event, value }); }
  progress = (value) => this.tell('progress', value);

  /** Sends a step's frames; waits where the page is `ahead` steps behind, and lets a cancel through. */
  async step(value, transfer) {
    if (!value) return this.breathe(); // done, and not drawn
    this.#sent++;
    postMessage({ id: this.id, event: 'step', value }, transfer);
    while (this.#sent - this.#drawn >= this.ahead && !this.abort.signal.aborted) {
      await new Promise((resolve) => (this.#wake = resolve));
    }
    return this.breathe();
  }

  /** Messages are only received between tasks, so a chain that computes on this thread must end one now and then. */
  async breathe() {
    if (performance.now() - this.#yielded > 8) {
      await nextTask();
      this.#yielded = performance.now();
    }
    this.abort.signal.throwIfAborted();
  }

  drawn() { this.#drawn++; this.#wake?.(); }
  cancel() { this.abort.abort(); this.#wake?.(); }
}

const channel = new MessageChannel();
function nextTask() {
  return new Promise((resolve) => {
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });
}

const seconds = (began) => (performance.now() - began) / 1000;

/** The GPU if there is one and it opens, else the processor, with the reason. */
async function open(device) {
  let reason = 'asked', detail = null;
  if (device === 'gpu') {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
    reason = adapter ? 'failed' : navigator.gpu ? 'no-adapter' : 'no-webgpu';
    if (adapter) {
      try {
        engine = await wasm.Engine.open('gpu');
        const { description, vendor, architecture } = adapter.info ?? {};
        const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'the GPU';
        return { device, name, software: engine.software, reason: null, detail };
      } catch (error) {
        detail = error.message;
      }
    }
  }
  engine = await wasm.Engine.open('cpu');
  return { device: 'cpu', name: 'the processor', software: true, reason, detail };
}

/** The network's outputs for several x_t of the shape [, C, H, W], told a timestep each, 0…T−1. */
async function answers(sample, told, [, ...image], label) {
  const classLabels = label == null ? undefined : Array(told.length).fill(label);
  return (await ops.predict({ sample, shape: [told.length, ...image], timestep: [...told], classLabels })).prediction;
}

/** What needs no device, and so is answered even while a call runs. */
const closedForms = {
  schedule: (options) => wasm.schedule(options),
  samplers: () => wasm.samplers(),
  randn: ({ seed = 0, shape }) => wasm.randn(seed, shape.reduce((a, b) => a * b, 1)),
};

const ops = {
  async start({ device }) {
    try {
      wasm = await import('../wasm/pollen.js');
      await wasm.default();
    } catch (error) {
      throw named('EngineError', `The engine's WebAssembly could not be loaded (${error.message}).`);
    }
    return open(device);
  },

  async diffuse({ image, draw, ...options }) {
    const began = performance.now();
    const sample = await engine.diffuse(image, options, draw, (frame) => call.step(frame, [frame?.rgba.buffer]));
    return { steps: options.steps ?? 1000, seconds: seconds(began), sample };
  },

  forwardFrame: ({ t, way, tensor = false }) => engine.forwardFrame(t, way, tensor),

  async loadModel({ url, files, title: called, outside }) {
    const on = { sha256: wasm.sha256, onProgress: call.progress, signal: call.abort.signal, get: outside && through(outside) };
    const { id, title, files: read, recorded } = await (url ? fetchModel(url, on) : readModel(files, { ...on, title: called }));
    const total = Object.values(read).reduce((sum, { length }) => sum + length, 0);
    const model = await engine.load(read, (part) => call.progress({ loaded: part * total, total, file: null }));
    // What came from elsewhere is worth keeping, should the visitor ask for it.
    const fetched = url && !recorded ? Object.entries(read).map(([path, bytes]) => ({ path, file: new Blob([bytes]) })) : null;
    const size = `U-Net ${model.height}×${model.width}, ${millions(model.parameters)} M parameters`;
    return { model: { ...model, id, title: title ?? size }, fetched };
  },

  inspect: ({ batch = 1 }) => engine.inspect(batch),

  async predict({ sample, shape, timestep, classLabels }) {
    const given = [timestep].flat();
    const timesteps = Float32Array.from({ length: shape[0] }, (_, i) => given[i % given.length]);
    const prediction = await engine.predict(sample, shape[2], shape[3], timesteps, classLabels && Float32Array.from(classLabels));
    return { prediction, shape: [shape[0], prediction.length / (shape[0] * shape[2] * shape[3]), shape[2], shape[3]] };
  },

  async generate({ noise, draw, ...options }) {
    const began = performance.now();
    const made = await engine.generate(options, noise, draw, (step) => call.step(step, [step?.xt.buffer, step?.x0.buffer]));
    return { ...made, seconds: seconds(began) };
  },

  ...trainOps(() => ({ wasm, engine, call })),

  async likelihood({ image, shape, seed = 0, timesteps = 0, label }) {
    const began = performance.now(), terms = [], bits = (nats) => nats / (image.length * Math.LN2);
    const bound = engine.bound(image, seed, timesteps), most = engine.software ? 4 : 16;
    const tell = (t, nats, weight) => {
      terms.push({ t, nats, bitsPerDim: bits(nats), weight });
      return call.step(terms.at(-1));
    };
    await tell(bound.timesteps + 1, bound.prior, 1);
    for (let told; (told = bound.next(most)).length;) {
      for (const { t, nats, weight } of bound.take(await answers(bound.draw(most), told, shape, label))) await tell(t, nats, weight);
    }
    bound.free();
    const nats = terms.reduce((sum, term) => sum + term.weight * term.nats, 0);
    return { terms, nats, bitsPerDim: bits(nats), estimate: terms.length < terms[0].t, seconds: seconds(began) };
  },

  async sampleIdealDenoiser({ images, shape: [, ...shape], count = 1, ...options }) {
    const began = performance.now(), [channels, height, width] = shape;
    const chain = new wasm.IdealChain(images, { ...options, channels, height, width, count });
    while (chain.done < chain.steps) {
      const step = chain.step();
      await call.step({ ...step, count, height, width }, [step.xt.buffer, step.x0.buffer]);
    }
    const made = { sample: chain.sample(), shape: [count, ...shape], steps: chain.steps, seconds: seconds(began) };
    chain.free();
    return made;
  },

  async distanceToIdealDenoiser({ images, shape, timesteps, seed = 0, label }) {
    const terms = [];
    for (const t of timesteps) {
      const noised = engine.noised(images, t, seed), told = Array(noised.length / (shape[1] * shape[2] * shape[3])).fill(t - 1);
      const rmse = engine.distanceToIdealDenoiser(noised, await answers(noised, told, shape, label), images, t);
      terms.push({ t, rmse });
      await call.step(terms.at(-1));
    }
    return terms;
  },
};

onmessage = async ({ data }) => {
  if (data.cancel) { if (call?.id === data.cancel) call.cancel(); return; }
  if (data.pause) { if (call?.id === data.pause) call.paused = true; return; }
  if (data.drawn) { if (call?.id === data.drawn) call.drawn(); return; }
  const { id, op, args, ahead } = data;
  if (Object.hasOwn(closedForms, op)) return answer(id, async () => closedForms[op](args));
  call = new Call(id, ahead);
  await answer(id, () => ops[op](args));
  call = null;
};

/** Sends what `work` gives, or how it failed. */
async function answer(id, work) {
  try {
    postMessage({ id, result: await work() });
  } catch (error) {
    postMessage({ id, error: { name: error?.name ?? 'EngineError', message: error?.message ?? String(error) } });
  }
}

function named(name, message) {
  return Object.assign(new Error(message), { name });
}
