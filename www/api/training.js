// A training as JavaScript sees it: the calls that are its own. docs/api.md describes them.

/**
 * @import { Model, Training as Public, TrainingReport, TrainOptions } from './types.js'
 *
 * @typedef {(op: string, args: any, on?: Record<string, ((value: any) => unknown) | undefined>) => Promise<any>} Call
 */

/** @implements {Public} */
export class Training {
  #call;
  #adopt;
  #id;
  step;

  /**
   * `call` reaches the Worker; `adopt` makes what it gets the page's model.
   * @param {Call} call
   * @param {(model: Model) => Model} adopt
   * @param {TrainOptions} options
   */
  static async begin(call, adopt, options) {
    const { id, step } = await call('train', options);
    return new Training(call, adopt, id, step);
  }

  /**
   * @param {Call} call
   * @param {(model: Model) => Model} adopt
   * @param {number} id
   * @param {number} step
   */
  constructor(call, adopt, id, step) {
    this.#call = call;
    this.#adopt = adopt;
    this.#id = id;
    this.step = step;
  }

  /** @type {Public['run']} */
  async run({ steps, onReport, onSample, onKept, ...options }) {
    const on = {
      report: (/** @type {TrainingReport} */ report) => {
        this.step = report.step;
        return onReport?.(report);
      },
      sample: onSample,
      kept: onKept,
    };
    const ended = await this.#call('trainRun', { id: this.#id, steps, ...options, draw: Boolean(onSample) }, on);
    this.step = ended.step;
    return ended;
  }

  sample(options = {}) { return this.#call('trainSample', { id: this.#id, options }); }

  gradients() { return this.#call('trainGradients', { id: this.#id }); }

  checkpoint() { return this.#call('trainCheckpoint', { id: this.#id }); }

  files() { return this.#call('trainFiles', { id: this.#id }); }

  async use() { return this.#adopt(await this.#call('trainUse', { id: this.#id })); }

  free() { return this.#call('trainFree', { id: this.#id }); }
}
