// A training as JavaScript sees it: the calls that are its own. docs/api.md describes them.

export class Training {
  #call;
  #adopt;
  #id;
  step;

  /** `call(op, args, on)` reaches the Worker; `adopt(model)` makes what it gets the page's model. */
  static async begin(call, adopt, options) {
    const { id, step } = await call('train', options);
    return new Training(call, adopt, id, step);
  }

  constructor(call, adopt, id, step) {
    this.#call = call;
    this.#adopt = adopt;
    this.#id = id;
    this.step = step;
  }

  async run({ steps, onReport, onSample, onKept, ...options }) {
    const told = {
      report: (report) => {
        this.step = report.step;
        return onReport?.(report);
      },
      sample: onSample,
      kept: onKept,
    };
    const ended = await this.#call('trainRun', { id: this.#id, steps, ...options, draw: Boolean(onSample) }, told);
    this.step = ended.step;
    return ended;
  }

  sample(options = {}) { return this.#call('trainSample', { id: this.#id, options }); }

  checkpoint() { return this.#call('trainCheckpoint', { id: this.#id }); }

  files() { return this.#call('trainFiles', { id: this.#id }); }

  async use() { return this.#adopt(await this.#call('trainUse', { id: this.#id })); }

  free() { return this.#call('trainFree', { id: this.#id }); }
}
