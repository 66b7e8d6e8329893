// The training panel: the run with its loss and samples, and what is kept of it.
import { pollen } from '../../api/pollen.js';
import { $, fields, named } from '../../ui/dom.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { counted, figure, seconds } from '../../ui/numbers.js';
import { reveal } from '../../ui/canvas.js';
import { beginRun, compared, rememberKept, showDifference, startCompare } from './compare.js';
import { picture } from '../forward/picture.js';
import { saveZip } from '../../files/save.js';
import { alone } from './alone.js';
import { adopt } from '../models/shelf.js';
import { bytes, gather } from './data.js';
import { lossChart, smoothed } from './curve.js';
import { fitCanvases, showFirst, showFound, showKept } from './display.js';
import { pace, runOptions } from './progress.js';
import { beginFilm, startSamples } from './samples.js';
import { beginStrip, drawStrip, startStrip } from './strip.js';
import { trend } from './warning.js';
import { AT_ONCE, trained } from './estimate.js';
import { chosenFiles, fill, read, showCost, startSettings } from './settings.js';
import { network, withRoom } from './sizes.js';
import { discard, kept, keptTraining } from '../../files/training-store.js';

const MIN_SNR = 5; // γ
const TIMESTEPS = 1000; // T of the default scheduler

/**
 * @import { Training, TrainingSample } from '../../api/types.js'
 * @import { Report } from '../../ui/runs.js'
 * @import { About, Kept, Settings } from './display.js'
 */

const field = fields('train-form'), pause = $('pause', HTMLButtonElement), drawCurve = lossChart($('loss-chart'));

/** @type {Training | null} */ let training = null; // the engine's, while it can go on
/** @type {About | null} */ let about = null; // how the training was begun, as it is kept
/** @type {number[]} */ let losses = []; // of each step
/** @type {File[]} */ let saved = []; // the model's folder, as it was last
/** @type {string | null} */ let model = null; // the engine's name for the network that learns here
let running = false, diverged = false;
const curve = /** @type {HTMLElement} */ ($('loss-chart').parentElement), values = $('train-values');

export function startTraining() {
  curve.hidden = values.hidden = pause.hidden = true; // until there is something in them
  fitCanvases();
  startSamples();
  startStrip();
  startCompare(() => { showDifference(); showCurve(); });
  $('train-form').addEventListener('submit', (event) => { event.preventDefault(); train(); });
  startSettings(() => !running);
  pause.addEventListener('click', () => { pause.disabled = true; pollen.pause(); });
  $('resume').addEventListener('click', resume);
  field.steps.addEventListener('input', offerResume);
  $('save-model').addEventListener('click', saveModel);
  $('go-on').addEventListener('click', goOn);
  $('discard').addEventListener('click', () => discard().then(offerKept).catch(complain));
  document.addEventListener('visibilitychange', showCurve);
  offerKept();
}

async function train() {
  /** @type {Settings} */ let settings;
  try { settings = read(); } catch (error) { return complain(error); }
  const { edge, channels, size, batch, rate, flips, crops, prediction, labels } = settings, { files, asItIs } = chosenFiles();
  await go(settings, async (report, stop) => {
    const room = withRoom(edge, crops);
    const found = files
      ? await gather(files, { edge: room, channels, labels, asItIs }, (done, total) => { stop.throwIfAborted(); report(done, total, 'Reading the pictures.', `${done} of ${total}`); })
      : { data: { classes: undefined, pixels: bytes(picture().square, room, channels), channels, height: room, width: room }, count: 1, notes: [], refused: null };
    showFound(found.notes);
    if (files) showFirst(found.data, found.count > 1 ? `the first of ${found.count} pictures` : files[0].name);
    if (found.refused) complain(found.refused);
    const title = found.count > 1 ? `${found.count} pictures` : files?.[0].name ?? picture().title;
    report(0, 1, `Preparing the network on ${adapterName()}.`);
    await release();
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
  /** @type {number} */ let steps, /** @type {number} */ every;
  try { [steps, every] = [number(field.steps), number(field.every)]; } catch (error) { return complain(error); }
  if (!training || !about) return undefined;
  const now = { training, about, losses };
  if (steps <= training.step) {
    field.steps.focus();
    return complain(`The training has done ${training.step} steps. To go on, raise the number of training steps above that.`);
  }
  return go({ ...about, steps, every }, async () => now);
}

/** Goes on with the training that was kept when another page ended. */
async function goOn() {
  /** @type {Kept | undefined | void} */
  const before = await kept().catch(complain);
  if (!before) return;
  fill(before);
  await go(before, async (report) => {
    report(0, 1, `Fetching the training that was kept, onto ${adapterName()}.`);
    const { data, checkpoint } = await keptTraining();
    await release();
    const training = await pollen.train({ ...data, checkpoint }).catch((error) => {
      if (named(error).name !== 'InputError') throw error;
      throw Error(`The training that is kept here cannot go on: ${error.message}. Discard it, and train anew.`);
    });
    return { training, about: before, losses: [...before.losses] };
  }, before.picture && { ...before.picture, step: before.picture.step ?? before.step }); // those kept by earlier releases have no step
}

/** Makes room for another training: beside each other two take twice the memory. The one before was kept when it stopped. */
async function release() {
  const old = training;
  training = null;
  await old?.free().catch(() => {}); // gone already with a Worker that was restarted
}

/**
 * The run: `begin` gives the training, what it is about and its losses so far.
 * @param {Settings} settings
 * @param {(report: Report, stop: AbortSignal) => Promise<{ training: Training, about: About, losses: number[] }>} begin
 * @param {TrainingSample | null} [before] the last sample of a training that goes on
 */
async function go({ steps, every, batch }, begin, before = null) {
  if (running || busy()) return;
  running = true;
  for (const part of [curve, values]) part.hidden = false;
  reveal($('train-stage'));
  $('kept').hidden = $('resume').hidden = $('save-model').hidden = true;
  const stop = new AbortController(), cancel = $('cancel'), stopping = () => stop.abort();
  cancel.addEventListener('click', stopping);
  const began = performance.now();
  /** @type {unknown} */ let failed = null;
  let started = false;
  const ended = await run((report) => alone(async () => {
    try {
      const next = await begin(report, stop.signal);
      if (next.losses !== losses) {
        beginFilm(before);
        beginStrip(TIMESTEPS);
        beginRun(next.about, next.losses);
        showDifference();
      }
      ({ training, about, losses } = next);
      started = true;
      stop.signal.throwIfAborted();
      pause.hidden = pause.disabled = false;
      const result = await next.training.run(runOptions({ ...next, steps, every, batch, before, report, draw: showCurve }));
      await offerModel(next.training, next.about);
      return result;
    } catch (error) {
      failed = error;
      throw error;
    }
  }));
  cancel.removeEventListener('click', stopping);
  pause.hidden = pause.disabled = true;
  running = false;
  showDifference();
  showCurve();
  if (ended) {
    const time = seconds(performance.now() - began), loss = losses.length ? `, loss ${figure(smoothed(losses).at(-1) ?? NaN)}` : '';
    say(ended.done
      ? `Done: ${counted(ended.step, 'step')} of training on ${about?.title}${loss}, in ${time} on ${adapterName()}. Press Generate to use the network, or save it.`
      : `Paused at step ${ended.step} of ${steps}${loss}. Press Resume to go on; Generate uses the network as it is.`);
  } else if (named(failed).name === 'DivergedError' && training && about) {
    await offerModel(training, about).catch(complain); // the average is from before the step that went wrong
  } else if (started) {
    if (!['DeviceLostError', 'EngineError'].includes(named(failed).name ?? '')) await training?.free().catch(complain);
    training = null; // what was kept of it is offered
  }
  diverged = named(failed).name === 'DivergedError';
  offerResume();
  $('save-model').hidden = !training;
  if (!training) await offerKept();
  if (started && about) await trained(about, pace()).catch(() => {}); // a device that is lost says so elsewhere
  showCost();
}

/** There is something to resume where steps are left, be it that their number was raised. */
function offerResume() {
  $('resume').hidden = running || diverged || !training || !(field.steps.valueAsNumber > training.step);
}

function showCurve() {
  if (document.hidden) return;
  const steps = running ? field.steps.valueAsNumber : losses.length;
  drawCurve(losses, steps, compared());
  $('t-trend').textContent = running ? '' : trend(losses);
  drawStrip(steps);
}

/** Norms of the gradient by tensor, as Adam averages it, where the network that is loaded is the one that learned here. */
export const gradients = async () => (training && model && pollen.model?.id === model ? training.gradients() : null);

/**
 * The averaged network becomes the model that Generate uses.
 * @param {Training} training
 * @param {About} about
 */
async function offerModel(training, about) {
  const written = /** @type {[string, Uint8Array<ArrayBuffer>][]} */ (Object.entries(await training.files()));
  saved = written.map(([name, bytes]) => new File([bytes], name));
  const used = await training.use();
  model = used.id;
  await adopt(used, `Trained here, ${about.title}`, saved.map((file) => ({ path: file.name, file })));
}

/** The model's folder, as diffusers reads it, in one file. */
async function saveModel() {
  const name = `pollen-${about?.title.replace(/\.\w+$/, '').replace(/[^\p{L}\p{N}.-]+/gu, '-') ?? 'model'}`;
  try {
    await saveZip(saved, name);
    say(`Saved ${name}.zip. Drop it here to open it again, or unpack it for diffusers: it is a folder with ${saved.map((file) => file.name).join(', ')}.`);
  } catch (error) { complain(error); }
}

async function offerKept() {
  /** @type {Kept | undefined} */ let found;
  try { found = await kept(); } catch { found = undefined; } // a browser without storage kept nothing
  showKept(training ? null : found);
  if (found && !training) rememberKept(found);
}
