// The engine as JavaScript sees it, on any page: promises over the Worker that runs it. docs/api.md documents every call.
import { forgetModel, keepModel, keptModels } from '../files/kept.js';
import { named, origin, pathOf, reaching, withPaths } from './origin.js';
import { selfTest } from './selftest.js';
import { Training } from './training.js';

/**
 * @import { Adapter, Executor, GpuKernels, Model, ModelFile, Pollen as Public } from './types.js'
 * @import { Host } from './origin.js'
 * @typedef {Record<string, ((value: any) => unknown) | undefined>} Handlers what is done with the events of a call
 * @typedef {{ resolve: (result: any) => void, reject: (error: unknown) => void, on: Handlers, handled: Promise<void> }} Pending
 */

const AHEAD = 8; // steps that the Worker may run before the page has drawn them

/** @implements {Public} */
export class Pollen {
  /** @type {Adapter | null} */ adapter = null;
  /** @type {Model | null} */ model = null;
  /** @type {ModelFile[] | null} */ files = null;
  /** @type {Worker | null} */ #worker = null;
  /** @type {Map<number, Pending>} */ #calls = new Map();
  /** @type {Promise<unknown>} */ #queue = Promise.resolve();
  /** @type {number | null} */ #running = null;
  #lost = false;
  used = false; // whether a network was asked for, to draw with or to train
  /** @type {{ device: Executor, kernels?: GpuKernels }} */ #on;
  #next = 1;
  /** @type {Host} */ #host;

  /** @param {Host} host */
  constructor(host, device = /** @type {Executor} */ ('auto'), kernels = /** @type {GpuKernels | undefined} */ (undefined)) {
    this.#host = host;
    this.#on = { device, kernels };
    this.ready = this.#start();
    this.ready.catch(() => {}); // callers that await it get the error
  }

  /** @type {Public['schedule']} */
  schedule(options = {}) { return this.#ask('schedule', options); }
  samplers() { return this.#ask('samplers', {}); }

  /** @type {Public['diffuse']} */
  diffuse({ onStep, ...options }) { return this.#call('diffuse', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  /** @type {Public['forwardFrame']} */
  forwardFrame(options) { return this.#call('forwardFrame', options); }
  /** @type {Public['loadModel']} */
  async loadModel(source, { onProgress } = {}) {
    [this.used, this.model, this.files] = [true, null, null];
    const { outside, close, ...from } = await origin(source, this.#host);
    try {
      const { model, files } = await this.#call('loadModel', { ...from, outside }, { progress: onProgress });
      this.files = files;
      return (this.model = model);
    } finally {
      close?.();
    }
  }

  /** @type {Public['keepModel']} */
  async keepModel(about = {}) {
    const { model, files } = this;
    if (!model) throw named('InputError', 'No model is loaded; call loadModel first.');
    if (!files) throw named('InputError', `${model.title} comes with this site and need not be kept.`);
    return reaching(files, this.#host, (get) => keepModel({ ...about, title: model.title, files, get }));
  }
  keptModels() { return keptModels(); }
  /** @type {Public['forgetModel']} */
  forgetModel(id) { return forgetModel(id); }

  selfTest() { return this.model ? selfTest(this) : Promise.reject(named('InputError', 'No model is loaded; call loadModel first.')); }

  /** @type {Public['setShader']} */
  setShader(name, text) { return this.#call('setShader', { name, text }); }
  /** @type {Public['randn']} */
  randn(options) { return this.#ask('randn', options); }
  /** @type {Public['jump']} */ jump(options) { return this.#ask('jump', options); }
  /** @type {Public['gaussianKl']} */ gaussianKl(options) { return this.#ask('gaussianKl', options); }
  /** @type {Public['decoderNats']} */ decoderNats(options) { return this.#ask('decoderNats', options); }
  /** @type {Public['inspect']} */ inspect(options = {}) { return this.#call('inspect', options); }
  /** @type {Public['predict']} */ predict(options) { return this.#call('predict', options); }
  /** @type {Public['operations']} */ operations({ shape = this.#asked({}).shape } = {}) { return this.#call('operations', { shape }); }
  /** @type {Public['activations']} */ activations(options) { return this.#call('activations', options); }
  /** @type {Public['times']} */ times(options) { return this.#call('times', options); }
  peaks() { return this.#call('peaks', {}); }
  /** @type {Public['tensor']} */ tensor(name) { return this.#call('tensor', { name }); }
  /** @type {Public['generate']} */
  generate({ onStep, ...options } = {}) { return this.#call('generate', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  /** @type {Public['train']} */
  train(options) { this.used = true; return Training.begin((op, args, on) => this.#call(op, args, on), (model) => (this.model = model), options); }

  /** @type {Public['inspectTraining']} */
  inspectTraining(options) { return this.#call('inspectTraining', options); }
  /** @type {Public['arrangePictures']} */
  arrangePictures(files, options = {}) { return this.#call('arrangePictures', { paths: [...files].map(pathOf), files: [...files], options }); }
  /** @type {Public['readArrays']} */
  readArrays(files, options) { return this.#call('readArrays', { paths: [...files].map(pathOf), files: [...files], options }); }
  /** @type {Public['unzip']} */
  async unzip(file) { return withPaths(await this.#call('unzip', { path: pathOf(file), file })); }
  /** @type {Public['pictureDamage']} */
  pictureDamage(file) { return this.#ask('pictureDamage', { file }); }
  /** @type {Public['pictureFrames']} */
  pictureFrames(file) { return this.#ask('pictureFrames', { file }); }

  /** Ends the run of a training after the step that is being done. */
  pause() { if (this.#running) this.#worker?.postMessage({ pause: this.#running }); }
  /** @type {Public['likelihood']} */
  likelihood({ onTerm, ...options }) { return this.#call('likelihood', { ...options, ...this.#asked(options) }, { step: onTerm }); }
  /** @type {Public['sampleIdealDenoiser']} */
  sampleIdealDenoiser({ onStep, ...options }) { return this.#call('sampleIdealDenoiser', options, { step: onStep }); }
  /** @type {Public['distanceToIdealDenoiser']} */
  distanceToIdealDenoiser({ onTerm, ...options }) { return this.#call('distanceToIdealDenoiser', { ...options, ...this.#asked(options) }, { step: onTerm }); }

  /**
   * The shape of the model's pictures, and the label of a class, "any" where none is named.
   * @param {{ class?: number | null }} options
   */
  #asked({ class: label }) {
    const { channels, height, width, any } = this.model ?? /** @type {Partial<Model>} */ ({});
    return { shape: [1, channels, height, width], label: label ?? any };
  }

  cancel() { if (this.#running) this.#worker?.postMessage({ cancel: this.#running }); }

  /** @type {Public['restart']} */
  restart({ device = this.#on.device, kernels = this.#on.kernels } = {}) {
    this.#on = { device, kernels };
    (this.ready = this.#start()).catch(() => {});
    return this.ready;
  }

  /** Ends the Worker and gives its memory back; the engine is of no use then. */
  close() { this.#end(named('EngineError', 'The engine was closed.')); }

  #start() {
    this.#end(named('EngineError', 'The engine was restarted.'));
    this.#lost = false;
    this.model = this.adapter = null;
    const worker = this.#worker = this.#host.worker();
    worker.onmessage = ({ data }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose();
      this.#end(named('EngineError', `The engine stopped: ${event.message || 'its Worker could not be loaded'}.`));
    };
    this.#queue = Promise.resolve();
    const started = this.#send('start', this.#on, {});
    this.#queue = started.catch(() => {});
    return started.then((adapter) => (this.adapter = adapter));
  }

  /** The next call restarts the engine, and no model is loaded then. */
  #lose() {
    this.#lost = true;
    this.model = null;
  }

  /** @param {Error} error */
  #end(error) {
    this.#worker?.terminate();
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#running = null;
  }

  /**
   * One after another.
   * @param {string} op
   * @param {any} args
   * @param {Handlers} [on]
   * @returns {Promise<any>}
   */
  async #call(op, args, on = {}) {
    if (this.#lost) await this.restart();
    await this.ready;
    const mine = this.#queue.then(() => this.#send(op, args, on));
    this.#queue = mine.catch(() => {});
    return mine;
  }

  /**
   * A closed form that needs no device: it is answered at once, between two steps of what is running.
   * @param {string} op
   * @param {any} args
   */
  async #ask(op, args) {
    if (this.#lost) await this.restart();
    await this.ready;
    return this.#post(op, args).answer;
  }

  /**
   * @param {string} op
   * @param {any} args
   * @param {Handlers} on
   */
  #send(op, args, on) {
    const { id, answer } = this.#post(op, args, on);
    this.#running = id;
    return answer.finally(() => { if (this.#running === id) this.#running = null; });
  }

  /**
   * @param {string} op
   * @param {any} args
   * @param {Handlers} [on]
   */
  #post(op, args, on = {}) {
    const id = this.#next++;
    /** @type {Promise<any>} */
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject, on, handled: Promise.resolve() }));
    this.#worker?.postMessage({ id, op, args, ahead: AHEAD }, args.outside ? [args.outside] : []);
    return { id, answer };
  }

  /** @param {{ id: number, event?: string, value?: unknown, result?: unknown, error?: { name: string, message: string } }} message */
  #receive({ id, event, value, result, error }) {
    const call = this.#calls.get(id);
    if (!call) return;
    if (event) {
      // One after another, so that a handler that waits for the screen sets the pace.
      call.handled = call.handled.then(() => this.#handle(id, call, event, value));
      return;
    }
    this.#calls.delete(id);
    call.handled.then(() => {
      if (!error) return call.resolve(result);
      if (error.name === 'DeviceLostError') this.#lose();
      call.reject(named(error.name, error.message));
    });
  }

  /**
   * @param {number} id
   * @param {Pending} call
   * @param {string} event
   * @param {unknown} value
   */
  async #handle(id, call, event, value) {
    try {
      await call.on[event]?.(value);
    } catch (thrown) {
      call.reject(thrown);
      this.#worker?.postMessage({ cancel: id });
    }
    if (event === 'step') this.#worker?.postMessage({ drawn: id });
  }
}
