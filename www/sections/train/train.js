// The training panel: what to train on, which network, the run with its loss and samples, and what is kept of it.
import { pollen } from '../../api/pollen.js';
import { adapterName, complain, number, run, say } from '../../ui/runs.js';
import { figure, megabytes, millions, seconds } from '../../ui/numbers.js';
import { keepFitted, reveal } from '../../ui/canvas.js';
import { openPicture } from '../../files/picture.js';
import { picture } from '../forward/forward.js';
import { downloadAll } from '../../files/download.js';
import { alone } from './alone.js';
import { adopt } from '../models/shelf.js';
import { bytes, gather } from './data.js';
import { lossChart, smoothed } from './curve.js';
import { showKept, showPicture, showSample, showValues } from './display.js';
import { network, withRoom } from './sizes.js';
import { discard, kept, keptTraining } from '../../files/training-store.js';

const AT_ONCE = 32; // pictures on the device at a time; a larger batch is gathered
const KEEP_SECONDS = 45;
const MIN_SNR = 5; // γ
const DRAW_MS = 100;
const SAMPLE = { sampler: 'ddim', steps: 20, seed: 0 };

const $ = (id) => document.getElementById(id);
const form = $('train-form'), field = form.elements, drawCurve = lossChart($('loss-chart'));

let chosen = null; // the visitor's files, or null for the forward chain's picture
let training = null; // the engine's, while it can go on
let about = null; // how the training was begun, as it is kept
let losses = []; // of each step
let running = false;

export function startTraining() {
  keepFitted($('data-canvas'));
  keepFitted($('sample-canvas'));
  form.addEventListener('submit', (event) => { event.preventDefault(); train(); });
  form.addEventListener('change', (event) => {
    if (event.target.type === 'file') { takePictures([...event.target.files]); return; }
    showData();
    showCost();
  });
  $('t-forget').addEventListener('click', () => takePictures([]));
  $('pause').addEventListener('click', () => { $('pause').disabled = true; pollen.pause(); });
  $('resume').addEventListener('click', resume);
  $('save-model').addEventListener('click', saveModel);
  $('go-on').addEventListener('click', goOn);
  $('discard').addEventListener('click', () => discard().then(offerKept).catch(complain));
  document.addEventListener('picture', showData);
  document.addEventListener('visibilitychange', showCurve);
  showData();
  offerKept();
  pollen.ready.then(showCost, () => {});
}

/** Takes the pictures that were chosen or dropped; none is the forward chain's again. */
export async function takePictures(files) {
  chosen = files.length ? files : null;
  $('t-forget').hidden = !chosen;
  if (!chosen) form.querySelectorAll('[type=file]').forEach((input) => { input.value = ''; });
  await showData();
  if (chosen) say(`${files.length === 1 ? `Training on ${files[0].name}` : `${files.length} files to train on`}. Press Train.`);
}

function read() {
  return {
    edge: Number(field.edge.value), channels: Number(field.channels.value), size: field.network.value,
    steps: number(field.steps), batch: number(field.batch), rate: number(field.rate), every: number(field.every),
    crops: field.crops.checked, flips: field.flips.checked,
    prediction: field.prediction.value, loss: field.loss.value, weights: field.weights.value,
  };
}

/** The picture, or the first that can be read of those chosen, as the network will see it. */
async function showData() {
  const [edge, channels, files] = [Number(field.edge.value), Number(field.channels.value), chosen];
  let square = picture().square;
  if (files) {
    square = null;
    for (const file of files.slice(0, 20)) if ((square = await openPicture(file).catch(() => null))) break;
    if (files !== chosen || !square) return;
  }
  const name = files ? (files.length === 1 ? files[0].name : `The first of ${files.length} files`) : picture().title;
  showPicture(square, { edge, channels, name });
}

/** What a step of the chosen network costs, before anything is allocated. */
let asked = 0;
async function showCost() {
  if (running) return;
  const mine = ++asked, batch = Math.min(field.batch.valueAsNumber || 1, AT_ONCE);
  const config = network({ size: field.network.value, edge: Number(field.edge.value), channels: Number(field.channels.value) });
  let text;
  try {
    if ((await pollen.ready).device === 'cpu') throw new Error('Training needs WebGPU, which this browser does not give the page.');
    const need = await pollen.inspectTraining({ config, batch });
    const times = Math.ceil((field.batch.valueAsNumber || 1) / batch);
    text = `${millions(need.parameters)} million parameters. A step: ${figure((times * need.flops_per_step) / 1e9)} GFLOP. `
      + `Memory: ${megabytes(need.weight_bytes + need.arena_bytes)}, of which ${megabytes(need.weight_bytes)} for weights, gradients and averages.`;
  } catch (error) {
    text = error.message;
  }
  if (mine === asked) $('t-cost').textContent = text;
}

async function train() {
  let settings;
  try { settings = read(); } catch (error) { return complain(error); }
  const { edge, channels, size, batch, rate, flips, crops, prediction } = settings, files = chosen;
  await go(settings, async (report, stop) => {
    const room = withRoom(edge, crops);
    const found = files
      ? await gather(files, { edge: room, channels }, (done, total) => { stop.throwIfAborted(); report(done, total, 'Reading the pictures.', `${done} of ${total}`); })
      : { data: { pixels: bytes(picture().square, room, channels), channels, height: room, width: room }, count: 1, notes: [] };
    if (found.notes.length) complain(`${found.notes.join('. ')}.`);
    const title = found.count > 1 ? `${found.count} pictures` : files?.[0].name ?? picture().title;
    report(0, 1, `Preparing the network on ${adapterName()}.`);
    const begun = await pollen.train({
      ...found.data,
      config: network({ size, edge, channels, classes: found.data.classes?.length }),
      scheduler: { prediction_type: prediction },
      recipe: {
        batch, at_once: Math.min(batch, AT_ONCE), rate, flips,
        absolute: settings.loss === 'absolute', min_snr: settings.weights === 'min-snr' ? MIN_SNR : null,
      },
    });
    return { training: begun, about: { ...settings, title, count: found.count }, losses: [] };
  });
}

/** Goes on with the training that this page has in memory, up to the number of steps in the form. */
async function resume() {
  let steps, every;
  try { [steps, every] = [number(field.steps), number(field.every)]; } catch (error) { return complain(error); }
  if (steps <= training.step) {
    field.steps.focus();
    return complain(`The training has done ${training.step} steps. To go on, raise the number of training steps above that.`);
  }
  await go({ ...about, steps, every }, async () => ({ training, about, losses }));
}

/** Goes on with the training that was kept when another page ended. */
async function goOn() {
  const before = await kept().catch(complain);
  if (!before) return;
  for (const name of ['edge', 'channels', 'steps', 'batch', 'rate', 'every', 'prediction', 'loss', 'weights']) field[name].value = before[name] ?? field[name].value;
  field.network.value = before.size;
  for (const name of ['crops', 'flips']) field[name].checked = before[name];
  await go(before, async (report) => {
    report(0, 1, `Fetching the training that was kept, onto ${adapterName()}.`);
    const { data, checkpoint } = await keptTraining();
    if (before.picture) showSample({ ...before.picture, step: before.step });
    return { training: await pollen.train({ ...data, checkpoint }), about: before, losses: [...before.losses] };
  }, before.picture);
}

/** The run: `begin(report, stop)` gives the training, what it is about and its losses so far. */
async function go({ steps, every, batch }, begin, before = null) {
  if (running) return;
  running = true;
  reveal($('train-stage'));
  $('kept').hidden = $('resume').hidden = $('save-model').hidden = true;
  const stop = new AbortController(), cancel = $('cancel'), stopping = () => stop.abort();
  cancel.addEventListener('click', stopping);
  const old = training, began = performance.now();
  let failed = null, started = false;
  const ended = await run((report) => alone(async () => {
    try {
      const next = await begin(report, stop.signal);
      if (old && old !== next.training) await old.free().catch(() => {}); // gone already with a Worker that was restarted
      ({ training, about, losses } = next);
      started = true;
      stop.signal.throwIfAborted();
      const result = await training.run(told(report, { steps, every, batch, before }));
      await offerModel();
      return result;
    } catch (error) {
      failed = error;
      throw error;
    }
  }));
  cancel.removeEventListener('click', stopping);
  $('pause').disabled = true;
  running = false;
  if (ended) {
    showCurve();
    const time = seconds(performance.now() - began), loss = losses.length ? `, loss ${figure(smoothed(losses).at(-1))}` : '';
    say(ended.done
      ? `Done: ${ended.step} steps of training on ${about.title}${loss}, in ${time} on ${adapterName()}. Press Generate to use the network, or save it.`
      : `Paused at step ${ended.step} of ${steps}${loss}. Press Resume to go on; Generate uses the network as it is.`);
  } else if (failed?.name === 'DivergedError') {
    await offerModel().catch(complain); // the average is from before the step that went wrong
  } else if (started) {
    if (failed.name !== 'DeviceLostError' && failed.name !== 'EngineError') await training.free().catch(complain);
    training = null; // what was kept of it is offered
  }
  $('resume').hidden = !training || failed?.name === 'DivergedError';
  $('save-model').hidden = !training;
  if (!training) await offerKept();
  showCost();
}

/** The options of the run, with what is shown of it. */
function told(report, { steps, every, batch, before }) {
  const sentence = `Training on ${about.title}, on ${adapterName()}.`;
  const marks = []; // [time, step] of the last seconds
  let drawn = -Infinity, warned = false;
  report(training.step, steps, sentence, `step ${training.step} of ${steps}`);
  $('pause').disabled = false;
  return {
    steps,
    sampleEvery: every,
    sample: { ...SAMPLE, count: about.count > 1 ? 4 : 1 },
    keepEvery: KEEP_SECONDS,
    about: { ...about, steps, every },
    losses,
    picture: before,
    onReport: ({ step, loss, norm }) => {
      losses[step - 1] = loss;
      const now = performance.now();
      marks.push([now, step]);
      while (marks.length > 2 && now - marks[0][0] > 5000) marks.shift();
      if (now - drawn < DRAW_MS && step !== steps) return;
      drawn = now;
      report(step, steps, sentence, `step ${step} of ${steps}`);
      const rate = (step - marks[0][1]) / ((now - marks[0][0]) / 1000);
      showValues({
        step: `${step} of ${steps}`, loss: figure(smoothed(losses.slice(-100)).at(-1)), norm: figure(norm),
        speed: rate > 0 ? figure(rate * batch) : '–', left: rate > 0 ? seconds((1000 * (steps - step)) / rate) : '–',
      });
      showCurve();
    },
    onSample: showSample,
    onKept: ({ step, problem }) => {
      showValues({ kept: problem ? 'no' : `step ${step}` });
      if (problem && !warned) complain(`This browser cannot keep the training (${problem}): closing the tab would lose it.`);
      warned ||= Boolean(problem);
    },
  };
}

function showCurve() {
  if (document.hidden) return;
  drawCurve(losses, running ? field.steps.valueAsNumber : losses.length);
}

/** The averaged network becomes the model that Generate uses. */
async function offerModel() {
  const files = Object.entries(await training.files()).map(([name, bytes]) => ({ path: name, file: new File([bytes], name) }));
  await training.use();
  await adopt(`Trained here, ${about.title}`, files);
  training.saved = files;
}

/** The files of the model, as diffusers reads them, one after another. */
async function saveModel() {
  await downloadAll(training.saved.map(({ file }) => file));
  say(`Saved ${training.saved.map(({ path }) => path).join(', ')}. Open them here under “Open another”, or in diffusers.`);
}

async function offerKept() {
  let found;
  try { found = await kept(); } catch { found = undefined; } // a browser without storage kept nothing
  showKept(training ? null : found);
}
