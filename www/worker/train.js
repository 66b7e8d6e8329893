// @ts-nocheck
// The Worker's side of trainings: the loop of steps, the samples between them, checkpoints and files.
import { compose, parse } from '../files/safetensors.js';
import { ddpm } from '../files/training-scheduler.js';
import { keep } from '../files/training-store.js';

const PAUSED = { name: 'Paused' };
/** The numbers of a checkpoint, in the order in which the engine reads and writes them; then those of the model's tensors. */
const NUMBERS = ['weights', 'mean', 'square', 'ema', 'time_proj.weight'];
const MODEL = 5;

const trainings = new Map(); // by id
let last = 0;

function get(id) {
  const found = trainings.get(id);
  if (found) return found;
  throw wrong('This training is gone: it was freed, or the engine has been restarted since.');
}

const wrong = (message) => Object.assign(new Error(message), { name: 'InputError' });

/** `now()` gives the engine, the call that is being served, and the engine's hash. */
export const trainOps = (now) => ({
  inspectTraining: ({ config, batch = 8 }) => now().engine.inspectTraining(config, batch),

  async train({ pixels, channels, height, width, labels, classes = [], config = '{}', scheduler = JSON.stringify(ddpm(), null, 2), recipe = {}, checkpoint }) {
    const from = checkpoint && opened(checkpoint), print = fingerprint(now().sha256, pixels, labels);
    if (from) ({ config, scheduler, recipe } = from);
    if (from && from.data !== print) throw wrong('These are other pictures, or other classes, than the training was begun with.');
    const options = { channels, height, width, classes: classes.join('\n'), config, scheduler, recipe };
    const training = await now().engine.train(pixels, labels && new Uint32Array(labels), options);
    if (from) {
      from.numbers.forEach((numbers, i) => training.write(i, numbers));
      training.done = from.step;
    }
    const data = { pixels, channels, height, width, labels, classes };
    trainings.set(++last, { training, data, config, scheduler, recipe, print, key: `${Date.now()} ${Math.random()}`, losses: [], picture: null });
    return { id: last, step: training.done };
  },

  /** Steps until there are `steps`, or until somebody pauses; a cancel ends the loop as it ends any call. */
  async trainRun({ id, steps, draw, sampleEvery = 0, sample = {}, keepEvery = 0, about, losses, picture }) {
    const state = get(id), { training } = state, { engine, call } = now();
    if (losses) state.losses = [...losses];
    state.picture = picture ?? state.picture;
    const tell = (report) => {
      if (!report) return false;
      state.losses[report[0] - 1] = report[1];
      call.tell('report', [...report]);
      return true;
    };
    const finish = async () => { while (tell(await training.step(false))); };
    const save = async () => {
      await finish();
      let problem = null;
      try {
        await keep({ ...state, about: { ...about, step: training.done, steps }, checkpoint: await saved(state, engine) });
      } catch (error) {
        problem = error?.message ?? String(error);
      }
      call.tell('kept', { step: training.done, problem });
    };
    let kept = performance.now();
    try {
      while (training.done < steps && !call.paused) {
        tell(await training.step(true));
        const ended = training.done === steps;
        if (draw && (ended || (sampleEvery && training.done % sampleEvery === 0))) {
          const made = await show(engine, training, sample, call);
          if (made) call.tell('sample', { ...(state.picture = made), step: training.done });
        }
        if (keepEvery && !ended && performance.now() - kept > 1000 * keepEvery) {
          await save();
          kept = performance.now();
        }
        await call.breathe();
      }
    } catch (error) {
      if (error?.name === 'AbortError') await finish(); // the step that was being done has its report, and leaves room for the next
      throw error;
    }
    await finish();
    if (keepEvery) await save();
    return { step: training.done, done: training.done >= steps };
  },

  async trainSample({ id, options: { noise, ...options } }) {
    const { engine, call } = now(), began = performance.now();
    const made = await averaged(engine, get(id).training, () => engine.generate(options, noise, false, () => call.breathe()));
    return { ...made, seconds: (performance.now() - began) / 1000 };
  },

  trainCheckpoint: ({ id }) => saved(get(id), now().engine),

  /** The model's folder. */
  async trainFiles({ id }) {
    const { training, config, scheduler, data: { classes } } = get(id);
    const values = await training.read(MODEL);
    let at = 0;
    const tensors = training.tensors().trim().split('\n').map((line) => {
      const [name, ...shape] = line.split(' ');
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, shape.map(Number), values.subarray(at, (at += size))];
    });
    if (!values.every(Number.isFinite)) throw wrong('The network cannot be saved: some of its weights are not finite.');
    const rows = JSON.parse(config).num_class_embeds;
    const files = { 'config.json': pretty({ _class_name: 'UNet2DModel', ...JSON.parse(config) }), 'scheduler_config.json': pretty(JSON.parse(scheduler)) };
    if (rows) files['labels.json'] = pretty(classes.length ? { classes, any: rows > classes.length ? classes.length : null } : { classes: ['any'], any: 0 });
    return { ...files, 'diffusion_pytorch_model.safetensors': compose(tensors, { format: 'pt' }) };
  },

  trainUse({ id }) {
    const { engine } = now(), state = get(id);
    engine.useTraining(state.training, true);
    return { id: `training-${id}`, title: 'the network trained here', ...engine.info() };
  },

  trainFree({ id }) {
    get(id).training.free();
    trainings.delete(id);
  },
});

const pretty = (value) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);

/** Runs `work` with the averaged network in the place of the loaded one. */
async function averaged(engine, training, work) {
  engine.useTraining(training, false);
  try {
    return await work();
  } finally {
    engine.restore(training);
  }
}

/** A picture of the averaged network; null where a pause came between. */
async function show(engine, training, options, call) {
  try {
    const { rgba, shape: [count, , height, width] } = await averaged(engine, training, () => engine.generate(options, undefined, false, async () => {
      await call.breathe();
      if (call.paused) throw PAUSED;
    }));
    return { rgba, count, height, width };
  } catch (error) {
    if (error === PAUSED) return null;
    throw error;
  }
}

/** A checkpoint, the command line's `training.checkpoint`. */
async function saved({ training, config, scheduler, recipe, print }, engine) {
  const tensors = [];
  for (const [i, name] of NUMBERS.entries()) {
    const numbers = await training.read(i);
    tensors.push([name, [numbers.length], numbers]);
  }
  return compose(tensors, { config, scheduler, recipe: JSON.stringify(recipe), data: print, step: String(training.done), software: String(engine.software) });
}

/** What tells one set of pictures and labels from another. */
function fingerprint(sha256, pixels, labels = []) {
  const each = [pixels, new Uint8Array(Uint32Array.from(labels).buffer)].map((bytes) => sha256(bytes));
  return sha256(new TextEncoder().encode(each.join('')));
}

function opened(checkpoint) {
  try {
    const { metadata: { config, scheduler, recipe, step, data }, tensors } = parse(checkpoint);
    if (!(Number(step) >= 0) || NUMBERS.some((name) => !tensors[name])) throw new RangeError('numbers are missing');
    return { config, scheduler, data, recipe: JSON.parse(recipe), step: Number(step), numbers: NUMBERS.map((name) => tensors[name]) };
  } catch (error) {
    throw wrong(`This is no complete checkpoint of a training (${error.message}).`);
  }
}
