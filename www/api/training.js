// A training as JavaScript sees it: the calls that are its own. docs/api.md describes them.

const text = (config) => (config === undefined || typeof config === 'string' ? config : JSON.stringify(config));

export class Training {
  #call;
  #adopt;
  #id;
  step;

  /** `call(op, args, on)` reaches the Worker; `adopt(model)` makes what it gets the page's model. */
  static async begin(call, adopt, { config, scheduler, pixels, labels, ...options }) {
    const { id, step } = await call('train', {
      ...options, pixels, config: text(config), scheduler: text(scheduler), labels: labels && [...labels],
    });
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
      report: ([step, loss, norm, rate]) => {
        this.step = step;
        return onReport?.({ step, loss, norm, rate });
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

/** What a step costs; the configuration may be an object. */
export const inspectArguments = ({ config, batch }) => ({ config: text(config), batch });
