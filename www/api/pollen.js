// The engine as JavaScript sees it: promises over the Worker that runs it. docs/api.md documents every call.
import { forgetModel, keepModel, keptFiles, keptModels } from '../files/kept.js';
import { openOutside } from '../files/outside.js';
import { selfTest } from './selftest.js';

import { Training } from './training.js';

const AHEAD = 8; // steps that the Worker may run before the page has drawn them

class Pollen {
  adapter = null;
  model = null;
  files = null;
  #worker;
  #calls = new Map();
  #queue = Promise.resolve();
  #running = null;
  #lost = false;
  #device = 'gpu';
  #next = 1;

  constructor() {
    this.ready = this.#start();
    this.ready.catch(() => {}); // whoever awaits it is told; nobody has to
  }

  schedule(options = {}) { return this.#ask('schedule', options); }

  samplers() { return this.#ask('samplers', {}); }

  diffuse({ onStep, ...options }) { return this.#call('diffuse', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  forwardFrame(options) { return this.#call('forwardFrame', options); }

  async loadModel(source, { onProgress } = {}) {
    this.model = this.files = null;
    const { outside, close, ...from } = await origin(source);
    try {
      const { model, fetched } = await this.#call('loadModel', { ...from, outside }, { progress: onProgress });
      this.files = from.files ?? fetched;
      return (this.model = model);
    } finally {
      close?.();
    }
  }

  async keepModel(about = {}) {
    if (!this.model) throw named('InputError', 'No model is loaded; call loadModel first.');
    if (!this.files) throw named('InputError', `${this.model.title} comes with this site and need not be kept.`);
    return keepModel({ ...about, title: this.model.title, files: this.files });
  }

  keptModels() { return keptModels(); }

  forgetModel(id) { return forgetModel(id); }

  selfTest() { return this.model ? selfTest(this) : Promise.reject(named('InputError', 'No model is loaded; call loadModel first.')); }

  randn(options) { return this.#ask('randn', options); }

  inspect(options = {}) { return this.#call('inspect', options); }

  predict(options) { return this.#call('predict', options); }

  generate({ onStep, ...options } = {}) { return this.#call('generate', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  train(options) {
    return Training.begin((op, args, on) => this.#call(op, args, on), (model) => (this.model = model), options);
  }

  inspectTraining(options) { return this.#call('inspectTraining', options); }

  arrangePictures(files) {
    const list = [...files], paths = list.map((file) => file.path || file.webkitRelativePath || file.name);
    return this.#call('arrangePictures', { paths, files: list });
  }

  /** Ends the run of a training after the step that is being done. */
  pause() { if (this.#running) this.#worker.postMessage({ pause: this.#running }); }

  likelihood({ onTerm, ...options }) { return this.#call('likelihood', { ...options, ...this.#asked(options) }, { step: onTerm }); }

  sampleIdealDenoiser({ onStep, ...options }) { return this.#call('sampleIdealDenoiser', options, { step: onStep }); }

  distanceToIdealDenoiser({ onTerm, ...options }) { return this.#call('distanceToIdealDenoiser', { ...options, ...this.#asked(options) }, { step: onTerm }); }

  /** The shape of the model's pictures, and the label of a class, "any" where none is named. */
  #asked({ class: label }) {
    const { channels, height, width, any } = this.model ?? {};
    return { shape: [1, channels, height, width], label: label ?? any };
  }

  cancel() { if (this.#running) this.#worker.postMessage({ cancel: this.#running }); }

  restart({ device = this.#device } = {}) {
    this.#device = device;
    this.ready = this.#start();
    this.ready.catch(() => {});
    return this.ready;
  }

  /** A new Worker. A `blob:` Worker inherits the page's security policy; one from a URL would have none. */
  #start() {
    this.#end(named('EngineError', 'The engine was restarted.'));
    this.#lost = false;
    this.model = this.adapter = null;
    const source = `import ${JSON.stringify(new URL('../worker/worker.js', import.meta.url).href)};`;
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    this.#worker = new Worker(url, { type: 'module', name: 'pollen' });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#lose();
      this.#end(named('EngineError', `The engine stopped: ${event.message || 'its Worker could not be loaded'}.`));
    };
    this.#queue = Promise.resolve();
    const started = this.#send('start', { device: this.#device }, {});
    this.#queue = started.catch(() => {});
    started.finally(() => URL.revokeObjectURL(url)).catch(() => {});
    return started.then((adapter) => (this.adapter = adapter));
  }

  /** The next call starts anew, and nothing is loaded then. */
  #lose() {
    this.#lost = true;
    this.model = null;
  }

  #end(error) {
    this.#worker?.terminate();
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    this.#running = null;
  }

  async #call(op, args, on = {}) {
    if (this.#lost) await this.restart();
    await this.ready;
    const mine = this.#queue.then(() => this.#send(op, args, on));
    this.#queue = mine.catch(() => {});
    return mine;
  }

  /** A closed form that needs no device: it is answered at once, between two steps of what is running. */
  async #ask(op, args) {
    if (this.#lost) await this.restart();
    await this.ready;
    return this.#post(op, args).answer;
  }

  #send(op, args, on) {
    const { id, answer } = this.#post(op, args, on);
    this.#running = id;
    return answer.finally(() => { if (this.#running === id) this.#running = null; });
  }

  #post(op, args, on = {}) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject, on, handled: Promise.resolve() }));
    this.#worker.postMessage({ id, op, args, ahead: AHEAD }, args.outside ? [args.outside] : []);
    return { id, answer };
  }

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

  async #handle(id, call, event, value) {
    try {
      await call.on[event]?.(value);
    } catch (thrown) {
      call.reject(thrown);
      this.#worker.postMessage({ cancel: id });
    }
    if (event === 'step') this.#worker.postMessage({ drawn: id });
  }
}

/** Where a model's files are: `url` on this site, `url` and `outside`, the port to another, or `files`. */
async function origin(source) {
  if (typeof source !== 'string') {
    return { files: [...source].map((file) => (file.file ? file : { path: file.path || file.webkitRelativePath || file.name, file })) };
  }
  if (source.startsWith('kept:')) return keptFiles(source.slice('kept:'.length));
  if (!URL.canParse(source, document.baseURI)) throw named('InputError', `“${source}” is no address. One looks like https://example.org/folder/.`);
  const url = new URL(source, document.baseURI);
  if (!/^https?:$/.test(url.protocol)) throw named('InputError', `${url.href} cannot be opened: an address begins with https://.`);
  return url.origin === location.origin ? { url: url.href } : { url: url.href, ...(await openOutside()) };
}

function named(name, message) {
  return Object.assign(new Error(message), { name });
}

export const pollen = new Pollen();
window.pollen = pollen;
