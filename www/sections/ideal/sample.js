// The ideal denoiser of the visitor's pictures, known in closed form: sampled, and compared with the network.
import { beside, pollen } from '../../api/pollen.js';
import { $, fields, make, named } from '../../ui/dom.js';
import { adapterName, announce, busy, complain, number, run, say } from '../../ui/runs.js';
import { counted, figure, seconds } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { calm, drawGrid, Frames, keepFitted, painted, reveal } from '../../ui/canvas.js';
import { guessed, onGuess } from '../../ui/guess.js';
import { asNetwork, pixels } from '../../files/picture.js';
import { samplersKnown } from '../../ui/samplers.js';
import { toFrame } from '../address.js';
import { picture } from '../forward/picture.js';
import { read } from '../forward/settings.js';
import { load } from '../models/shelf.js';
import { chain } from '../plane/chain.js';
import { chosenClass } from '../reverse/fields.js';
import { MOST, work } from '../ideal-denoiser.js';
import { openWhole } from '../whole.js';
import { flowers } from './example.js';
import { Ways } from './plane.js';

/**
 * @import { Report } from '../../ui/runs.js'
 * @typedef {Omit<import('../../api/types.js').ReverseStep, 'back' | 'terms'>} ReverseStep
 * @typedef {{ squares: HTMLCanvasElement[], size: number, channels: number }} DataSet
 */

const RUN_SECONDS = 6; // a run is not drawn faster than this at 60 frames a second
const PARTS = [0.002, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1]; // of T, where the network is compared
const EXAMPLE = { options: { sampler: 'ddim', steps: 20, seed: 0, count: 4 }, size: 32, channels: 3 };

const field = fields('ideal-denoiser-form'), go = /** @type {HTMLElement} */ ($('ideal-denoiser-form').querySelector('.go'));
const xtCanvas = $('best-xt', HTMLCanvasElement), x0Canvas = $('best-x0', HTMLCanvasElement);
const pair = /** @type {HTMLElement} */ ($('best-frame').closest('.pair')), slider = $('best-step', HTMLInputElement), results = /** @type {HTMLElement} */ ($('distances').parentElement);
/** @type {Frames<ReverseStep> | null} */ let film = null; // the steps of the last run
/** @type {Ways | null} */ let ways = null; // of its samples
/** @type {HTMLCanvasElement[] | null} */ let chosen = null; // middle squares of the files, or null for the picture of part 1
let taken = Promise.resolve(); // the chosen ones
let runs = 0, going = false, asked = false, pictureCount = 0;

keepFitted(xtCanvas);
keepFitted(x0Canvas);
slider.addEventListener('input', () => {
  const step = film?.near(slider.valueAsNumber) ?? film?.get(film.last);
  if (step) show(step);
});
onGuess('ideal', showLive);

/** That a single picture has the weight 1 throughout is what the question is about. */
function showLive() { $('best-told').hidden = !film || (pictureCount < 2 && !guessed('ideal')); }

/** Takes the pictures that are chosen. */
export function take() { return (taken = open()); }

async function open() {
  const files = [...(field.pictures.files ?? [])].slice(0, MOST);
  try {
    chosen = files.length ? await Promise.all(files.map((file) => openWhole(file))) : null;
  } catch (error) {
    chosen = null;
    field.pictures.value = '';
    complain(error);
  }
}

/**
 * All pictures one after the other, as `asImage` has each.
 * @param {HTMLCanvasElement[]} squares
 * @param {(square: HTMLCanvasElement) => Float32Array} asImage
 */
function data(squares, asImage) {
  const images = squares.map(asImage), length = images[0].length;
  const all = new Float32Array(images.length * length);
  images.forEach((image, i) => all.set(image, i * length));
  return all;
}

const squares = () => chosen ?? [picture().square];
const pictures = () => (chosen ? (chosen.length === 1 ? 'your picture' : `${chosen.length} pictures`) : picture().title);

/**
 * A chain of the ideal denoiser of some pictures, in the film; each step is shown where `seen` says so.
 * @param {Parameters<typeof chain>[0]} options
 * @param {DataSet} of
 * @param {(step: ReverseStep) => boolean} seen
 */
async function walk(options, { squares, size, channels }, seen) {
  const mine = ++runs, { alphaBar } = await beside().schedule(), images = data(squares, (square) => pixels(square, size, channels)), own = new Ways(images, squares, alphaBar);
  /** @type {Frames<ReverseStep> | null} */ let frames = null;
  const end = () => {
    if (!frames || mine !== runs) return;
    frames.end();
    slider.max = String(frames.last); // first: a value beyond it is cut
    if (asked) toFrame(slider, frames.last); else slider.defaultValue = slider.value = slider.max; // of the example the last, whatever is asked for
    $('best-film').hidden = frames.last < 2;
    const at = frames.near(slider.valueAsNumber) ?? frames.get(frames.last);
    if (at) show(at);
  };
  try {
    return await chain(options, { images, shape: [squares.length, channels, size, size] }, alphaBar, ({ before, after, corrects, ...step }) => {
      if (mine !== runs) return undefined;
      frames ??= new Frames(step.steps, step.xt.length + step.x0.length);
      frames.keep(step.step, step);
      own.take({ ...step, before, after, corrects });
      if (step.step === 1) [film, ways, pictureCount] = [frames, own, squares.length];
      if (!seen(step)) return undefined;
      show(step);
      return painted();
    });
  } finally { end(); }
}

export async function sample() {
  await Promise.all([samplersKnown, pollen.ready, taken]);
  if (going) return undefined;
  let options, /** @type {number} */ size, /** @type {number} */ channels;
  try {
    options = { sampler: field.sampler.value, steps: number(field.steps), seed: number(field.seed), count: number(field.count) };
    ({ size, channels } = read());
  } catch (error) { return complain(error); }
  const { steps } = options, perPaint = Math.max(1, Math.round(steps / (60 * RUN_SECONDS))), of = pictures();
  let drawnAt = -Infinity;
  $('best-film').hidden = $('best-example').hidden = true;
  $('ideal-denoiser').classList.remove('awaits');
  going = asked = true;
  go.setAttribute('aria-disabled', 'true');
  beside().cancel(); // the example
  const units = work(), began = performance.now(), act = (/** @type {Report} */ report) => walk(options, { squares: squares(), size, channels }, (step) => {
    report(step.step, step.steps, `Sampling with the ideal denoiser of ${of}, no network.`, `step ${step.step} of ${step.steps}`);
    if (pair.hidden || step.step === 1) reveal($('best-frame'));
    if (calm.matches ? step.step !== step.steps && performance.now() - drawnAt < 500 : step.step % perPaint) return false;
    drawnAt = performance.now();
    return true;
  });
  const along = busy();
  $('best-said').textContent = along ? 'Sampling, beside the run that goes on.' : '';
  const result = await (along ? act(() => {}).catch(complain) : run(act, () => beside().cancel())); // beside what runs, or with its own progress
  going = false;
  go.removeAttribute('aria-disabled');
  if (!result) return undefined;
  if (!along) timed('ideal', units, performance.now() - began);
  const sentence = `Done: ${options.count} from the ideal denoiser of ${of}, no network, ${counted(result.steps, 'step')} in ${seconds(1000 * result.seconds)} on the processor. Move the slider to see what it predicted on the way.`;
  $('best-said').textContent = busy() ? sentence : '';
  return announce(sentence);
}

/** Three flowers, where the visitor has sampled nothing yet. */
export async function example() {
  try {
    if (asked) return;
    const squares = await flowers();
    await pollen.ready;
    if (!squares || asked) return;
    const { options, ...of } = EXAMPLE;
    await walk(options, { squares, ...of }, () => false);
    $('best-example').hidden = asked;
  } catch (error) {
    if (named(error).name !== 'AbortError') throw error;
  } finally { $('ideal-denoiser').classList.remove('awaits'); }
}

/** A step: x_t after it, and x̂_0 as it was predicted before it. @param {ReverseStep} of */
function show({ step, steps, t, tNext, xt, x0, ...grid }) {
  pair.hidden = false;
  drawGrid(xtCanvas, xt, { ...grid, gap: 1 });
  drawGrid(x0Canvas, x0, { ...grid, gap: 1 });
  $('best-xt-at').textContent = ` at t = ${Math.round(tNext)}`;
  $('best-x0-at').textContent = ` from t = ${Math.round(t)}`;
  $('best-step-out').textContent = `${step} of ${steps}`;
  ways?.show(step);
  showLive();
  slider.setAttribute('aria-valuetext', `step ${step} of ${steps}, t = ${Math.round(tNext)}`);
}

export async function compare() {
  if (busy()) return undefined;
  /** @type {number} */ let seed;
  try { seed = number(field.seed); } catch (error) { return complain(error); }
  await taken;
  const rows = $('distances'), began = performance.now();
  rows.replaceChildren();
  results.hidden = false;
  reveal(results);
  const result = await run(async (report) => {
    const model = await load(report), T = model.trainSteps, timesteps = [...new Set(PARTS.map((part) => Math.max(1, Math.round(T * part))))];
    const doing = `Comparing the network with the ideal denoiser of ${pictures()} on ${adapterName()}.`;
    report(0, timesteps.length, doing, `timestep 0 of ${timesteps.length}`);
    return pollen.distanceToIdealDenoiser({
      images: data(squares(), (square) => asNetwork(square, model)), timesteps, seed, class: chosenClass(),
      onTerm: ({ t, rmse }) => {
        const row = rows.appendChild(make('div'));
        row.append(make('dt', { textContent: `t = ${t}` }), make('dd', { textContent: figure(rmse) }));
        report(rows.children.length, timesteps.length, doing, `timestep ${rows.children.length} of ${timesteps.length}`);
      },
    });
  });
  if (result) say(`Done: the network is ${figure(Math.min(...result.map(({ rmse }) => rmse)))} to ${figure(Math.max(...result.map(({ rmse }) => rmse)))} from the ideal denoiser of ${pictures()}, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}
