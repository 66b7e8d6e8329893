// The engine's side: loads the WebAssembly module and serves the calls of pollen.js one after another.
import { fetchModel, readModel } from './models.js';

let wasm = null;
let engine = null;
let call = null; // the one being served

class Call {
  #drawn = 0;
  #sent = 0;
  #wake = null;
  #yielded = performance.now();
  abort = new AbortController();

  constructor(id, ahead) { Object.assign(this, { id, ahead }); }

  progress = (value) => postMessage({ id: this.id, event: 'progress', value });

  /** Sends a step's frames; waits where the page is `ahead` steps behind, and lets a cancel through. */
  async step(value, transfer) {
    this.#sent++;
    postMessage({ id: this.id, event: 'step', value }, transfer);
    while (this.#sent - this.#drawn >= this.ahead && !this.abort.signal.aborted) {
      await new Promise((resolve) => (this.#wake = resolve));
    }
    await this.breathe();
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

const buffers = (...arrays) => arrays.map((array) => array.buffer);

const ops = {
  async start({ device }) {
    try {
      wasm = await import('./wasm/pollen.js');
      await wasm.default();
    } catch (error) {
      throw named('EngineError', `The engine's WebAssembly could not be loaded (${error.message}).`);
    }
    engine = await wasm.Engine.open(device);
    return engine.adapter;
  },

  schedule: (options) => wasm.schedule(options),

  async diffuse({ image, ...options }) {
    const began = performance.now();
    const run = engine.diffuse(image, options);
    for (let frame; (frame = await run.next());) await call.step(frame, buffers(frame.rgba));
    return { steps: options.steps ?? 1000, seconds: (performance.now() - began) / 1000, sample: await engine.forwardSample() };
  },

  forwardFrame: ({ t, way, tensor = false }) => engine.forwardFrame(t, way, tensor),

  async loadModel({ url, files }) {
    const on = { sha256: wasm.sha256, onProgress: call.progress, signal: call.abort.signal };
    const read = await (url ? fetchModel(url, on) : readModel(files, on));
    const model = await engine.load(read.files);
    return { ...model, id: read.id, title: read.title };
  },

  inspect: ({ batch = 1 }) => engine.inspect(batch),

  predict: ({ sample, shape, timestep, classLabels }) =>
    engine.predict(sample, shape, [timestep].flat(), classLabels),

  async generate(options) {
    const began = performance.now();
    const run = await engine.generate(options);
    for (let step; (step = await run.next());) await call.step(step, buffers(step.xt, step.x0));
    return { ...(await run.finish()), seconds: (performance.now() - began) / 1000 };
  },
};

onmessage = async ({ data }) => {
  if (data.cancel) { if (call?.id === data.cancel) call.cancel(); return; }
  if (data.drawn) { if (call?.id === data.drawn) call.drawn(); return; }
  const { id, op, args, ahead } = data;
  call = new Call(id, ahead);
  try {
    postMessage({ id, result: await ops[op](args) });
  } catch (error) {
    postMessage({ id, error: { name: error?.name ?? 'EngineError', message: error?.message ?? String(error) } });
  } finally {
    call = null;
  }
};

function named(name, message) {
  return Object.assign(new Error(message), { name });
}
