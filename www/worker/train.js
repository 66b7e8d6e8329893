// The Worker's side of trainings: the loop of steps, the samples between them, and what is kept of them.
import { keep } from '../files/training-store.js';
import { readArrays, unzip } from './data.js';
import { apart, nearest } from './nearest.js';

const PAUSED = { name: 'Paused' };
const messageOf = (/** @type {unknown} */ error) => /** @type {{ message?: string }} */ (error)?.message ?? String(error);

/**
 * @import { GenerateOptions, Generation, RunOptions, TrainingReport, TrainOptions } from '../api/types.js'
 * @import { Call } from './call.js'
 *
 * @typedef {typeof import('../wasm/pollen.js')} Module
 * @typedef {import('../wasm/pollen.js').Training} Training
 * @typedef {import('./nearest.js').Pictures} Pictures
 *
 * @typedef {object} Begun
 * @property {Training} training
 * @property {Pictures} data what it was begun on, as it is kept
 * @property {number | null} apart how far the pictures are from each other, once that was asked for
 * @property {string} key
 * @property {number[]} losses
 * @property {object | null} picture the last sample
 */

/** @type {Map<number, Begun>} */ const trainings = new Map(); // by id
let last = 0;

function get(/** @type {number} */ id) {
  const found = trainings.get(id);
  if (found) return found;
  throw Object.assign(new Error('This training is gone: it was freed, or the engine has been restarted since.'), { name: 'InputError' });
}

/**
 * `now()` gives the WebAssembly module, the engine and the call that is being served.
 * @param {() => { wasm: Module, engine: import('../wasm/pollen.js').Engine, call: Call }} now
 */
export const trainOps = (now) => ({
  inspectTraining: (/** @type {{ config: object | string, batch?: number }} */ options) => now().engine.inspectTraining(options),

  arrangePictures: (/** @type {{ paths: string[], files: File[], options: object }} */ { paths, files, options }) => now().wasm.arrangePictures(paths, options, (/** @type {number} */ index) => files[index].text()),

  readArrays: (/** @type {{ paths: string[], files: File[], options: object }} */ of) => readArrays(of, now().call),

  unzip: (/** @type {{ path: string, file: File }} */ of) => unzip(of, now().call),

  async train(/** @type {TrainOptions} */ { pixels, labels, checkpoint, ...options }) {
    const { channels, height, width, classes } = options;
    const training = await now().engine.train(pixels, labels && Uint32Array.from(labels), options, checkpoint);
    const data = { pixels, channels, height, width, labels, classes };
    trainings.set(++last, { training, data, key: `${Date.now()} ${Math.random()}`, losses: [], picture: null, apart: null });
    return { id: last, step: training.done };
  },

  /** Steps until there are `steps`, or until somebody pauses; a cancel ends the loop as it ends any call. */
  async trainRun(/** @type {RunOptions & { id: number, draw: boolean }} */ options) {
    const { id, steps, draw, sampleEvery = 0, sampleFirst = 0, sample = {}, compare = false, keepEvery = 0, about, losses, picture } = options;
    const state = get(id), { training } = state, { call } = now();
    if (losses) state.losses = [...losses];
    state.picture = picture ?? state.picture;
    const pass = (/** @type {TrainingReport | null} */ report) => {
      if (!report) return false;
      state.losses[report.step - 1] = report.loss;
      call.tell('report', report);
      return true;
    };
    const finish = async () => { while (pass(await training.step(false))); };
    const save = async () => {
      await finish();
      let problem = null;
      try {
        await keep({ ...state, about: { ...about, step: training.done, steps }, checkpoint: await checkpointOf(training) });
      } catch (error) {
        problem = messageOf(error);
      }
      call.tell('kept', { step: training.done, problem });
    };
    let kept = performance.now();
    try {
      while (training.done < steps && !call.paused) {
        pass(await training.step(true));
        const ended = training.done === steps;
        if (draw && (ended || training.done === sampleFirst || (sampleEvery && training.done % sampleEvery === 0))) {
          const made = await show(state, sample, compare, call);
          if (made) {
            state.picture = { ...made, step: training.done };
            call.tell('sample', compare ? { ...state.picture, gradients: await gradients(training) } : state.picture);
          }
        }
        if (keepEvery && !ended && performance.now() - kept > 1000 * keepEvery) {
          await save();
          kept = performance.now();
        }
        await call.breathe();
      }
    } catch (error) {
      if (/** @type {Error} */ (error).name === 'AbortError') await finish(); // the step that was being done has its report, and leaves room for the next
      throw error;
    }
    await finish();
    if (keepEvery) await save();
    return { step: training.done, done: training.done >= steps };
  },

  async trainSample(/** @type {{ id: number, options: GenerateOptions & { raw?: boolean } }} */ { id, options: { noise, raw = false, ...options } }) {
    const { call } = now(), began = performance.now();
    const made = await get(id).training.generate(!raw, options, noise, false, () => call.breathe());
    return { ...made, seconds: (performance.now() - began) / 1000 };
  },

  trainCheckpoint: (/** @type {{ id: number }} */ { id }) => checkpointOf(get(id).training),

  /** The norms of the gradients by tensor. */
  trainGradients: (/** @type {{ id: number }} */ { id }) => gradients(get(id).training),

  /** The model's folder. */
  trainFiles: (/** @type {{ id: number }} */ { id }) => get(id).training.files(false),

  trainUse(/** @type {{ id: number }} */ { id }) {
    const info = now().engine.useTraining(get(id).training);
    return { id: `training-${id}`, title: 'the network trained here', ...info };
  },

  trainFree(/** @type {{ id: number }} */ { id }) {
    get(id).training.free();
    trainings.delete(id);
  },
});

/**
 * Pictures of the averaged network; to `compare`, with those of the weights as they are and the nearest training pictures. Null where a
 * pause came between.
 * @param {Begun} state
 * @param {GenerateOptions} options
 * @param {boolean} compare
 * @param {Call} call
 */
async function show(state, options, compare, call) {
  const breathe = async () => {
    await call.breathe();
    if (call.paused) throw PAUSED;
  };
  const draw = async (/** @type {boolean} */ averaged) => {
    const { rgba, shape: [count, , height, width] } = /** @type {Generation} */ (await state.training.generate(averaged, options, undefined, false, breathe));
    return { rgba, count, height, width };
  };
  try {
    const made = await draw(true);
    if (!compare) return made;
    const { flips } = state.training;
    state.apart ??= await apart(made, state.data, flips, breathe);
    return { ...made, raw: (await draw(false)).rgba, nearest: await nearest(made, state.data, flips, breathe), apart: state.apart };
  } catch (error) {
    if (error === PAUSED) return null;
    throw error;
  }
}

/** The checkpoint's pieces as one. */
const checkpointOf = async (/** @type {Training} */ training) => new Uint8Array(await new Blob(await training.checkpoint()).arrayBuffer());

/** The norms of the gradients by tensor. */
async function gradients(/** @type {Training} */ training) {
  const [, file] = /** @type {[string, Uint8Array][]} */ (Object.entries(await training.files(true))).find(([name]) => name.endsWith('.safetensors')) ?? [];
  return file ? norms(file) : {};
}

/** The norm of each tensor of a safetensors file of F32, as trainings write it. */
function norms(/** @type {Uint8Array} */ file) {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true)), body = 8 + length;
  /** @type {Record<string, { data_offsets: [number, number] }>} */
  const { __metadata__, ...tensors } = JSON.parse(new TextDecoder().decode(file.subarray(8, body)));
  return Object.fromEntries(Object.entries(tensors).map(([name, { data_offsets: [from, to] }]) => {
    const numbers = new Float32Array(file.slice(body + from, body + to).buffer);
    return [name, Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0))];
  }));
}
