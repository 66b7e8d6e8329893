// The engine as JavaScript sees it: promises over the Worker that runs it. docs/api.md documents every call.

const AHEAD = 8; // steps that the Worker may run before the page has drawn them

class Pollen {
  adapter = null;
  model = null;
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

  schedule(options = {}) { return this.#call('schedule', options); }

  diffuse({ onStep, ...options }) { return this.#call('diffuse', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  forwardFrame(options) { return this.#call('forwardFrame', options); }

  async loadModel(source, { onProgress } = {}) {
    this.model = null;
    const from = typeof source === 'string'
      ? { url: new URL(source, document.baseURI).href }
      : { files: [...source].map((file) => ({ path: file.path || file.webkitRelativePath || file.name, file })) };
    return (this.model = await this.#call('loadModel', from, { progress: onProgress }));
  }

  inspect(options = {}) { return this.#call('inspect', options); }

  predict(options) { return this.#call('predict', options); }

  generate({ onStep, ...options } = {}) { return this.#call('generate', { ...options, draw: Boolean(onStep) }, { step: onStep }); }

  likelihood({ onTerm, ...options }) { return this.#call('likelihood', { ...options, ...this.#asked(options) }, { step: onTerm }); }

  sampleOptimum({ onStep, ...options }) { return this.#call('sampleOptimum', options, { step: onStep }); }

  distanceToOptimum({ onTerm, ...options }) { return this.#call('distanceToOptimum', { ...options, ...this.#asked(options) }, { step: onTerm }); }

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
    const source = `import ${JSON.stringify(new URL('worker.js', import.meta.url).href)};`;
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

  #send(op, args, on) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject, on, handled: Promise.resolve() }));
    this.#running = id;
    this.#worker.postMessage({ id, op, args, ahead: AHEAD });
    return answer.finally(() => { if (this.#running === id) this.#running = null; });
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

function named(name, message) {
  return Object.assign(new Error(message), { name });
}

export const pollen = new Pollen();
window.pollen = pollen;
