// The ideal denoiser of the visitor's pictures, known in closed form: sampled, and compared with the network.
import { pollen } from '../api/pollen.js';
import { $, fields, make } from '../ui/dom.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { counted, figure, seconds } from '../ui/numbers.js';
import { timed } from '../ui/pace.js';
import { calm, drawGrid, Frames, keepFitted, painted, reveal } from '../ui/canvas.js';
import { asNetwork, pixels } from '../files/picture.js';
import { openWhole } from './whole.js';
import { evaluations, firstSampler, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { picture } from './forward/picture.js';
import { read } from './forward/settings.js';
import { load } from './models/shelf.js';
import { chosenClass } from './reverse/fields.js';

const RUN_SECONDS = 6; // a run is not drawn faster than this at 60 frames a second
const MOST = 16; // pictures
const PARTS = [0.002, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1]; // of T, where the network is compared

const form = $('ideal-denoiser-form'), field = fields('ideal-denoiser-form');
const xtCanvas = $('best-xt', HTMLCanvasElement), x0Canvas = $('best-x0', HTMLCanvasElement);
const pair = /** @type {HTMLElement} */ ($('best-frame').closest('.pair')), slider = $('best-step', HTMLInputElement), results = /** @type {HTMLElement} */ ($('distances').parentElement);
/** @typedef {Omit<import('../api/types.js').ReverseStep, 'back' | 'terms'>} ReverseStep */
/** @type {Frames<ReverseStep> | null} */ let film = null; // the steps of the last run
/** @type {HTMLCanvasElement[] | null} */ let chosen = null; // middle squares of the files, or null for the picture of part 1

export function startIdealDenoiser() {
  pair.hidden = results.hidden = true; // until there is something in them
  keepFitted(xtCanvas);
  keepFitted(x0Canvas);
  form.addEventListener('submit', (event) => { event.preventDefault(); sample(); });
  $('compare').addEventListener('click', compare);
  slider.addEventListener('input', () => {
    const step = film?.near(slider.valueAsNumber) ?? film?.get(film.last);
    if (step) show(step);
  });
  field.pictures.addEventListener('change', take);
  field.sampler.addEventListener('change', () => { field.steps.value = String(SAMPLERS[field.sampler.value].steps); });
  samplersKnown.then(() => {
    field.sampler.replaceChildren(...samplerOptions());
    for (const option of field.sampler.options) option.defaultSelected = option.value === firstSampler(null);
  }, () => {});
}

async function take() {
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
 * @param {(square: HTMLCanvasElement) => Float32Array} asImage
 */
function data(asImage) {
  const images = (chosen ?? [picture().square]).map(asImage), length = images[0].length;
  const all = new Float32Array(images.length * length);
  images.forEach((image, i) => all.set(image, i * length));
  return all;
}

const pictures = () => (chosen ? (chosen.length === 1 ? 'your picture' : `${chosen.length} pictures`) : picture().title);

/** What a sampling as it is set up asks of the processor: values that are compared. */
export function work() {
  const { size, channels } = fields('forward-form');
  return !SAMPLERS[field.sampler.value] ? NaN : evaluations(field.sampler.value, field.steps.valueAsNumber) * field.count.valueAsNumber * (chosen?.length ?? 1) * size.valueAsNumber ** 2 * Number(channels.value);
}

async function sample() {
  if (busy()) return undefined;
  let options, /** @type {number} */ size, /** @type {number} */ channels;
  try {
    options = { sampler: field.sampler.value, steps: number(field.steps), seed: number(field.seed), count: number(field.count) };
    ({ size, channels } = read());
  } catch (error) { return complain(error); }
  const asked = work(), began = performance.now();
  film = null;
  $('best-film').hidden = true;
  const perPaint = Math.max(1, Math.round(options.steps / (60 * RUN_SECONDS)));
  const result = await run((report) => {
    let drawnAt = -Infinity;
    return pollen.sampleIdealDenoiser({
      ...options, images: data((square) => pixels(square, size, channels)), shape: [chosen?.length ?? 1, channels, size, size],
      onStep: (step) => {
        report(step.step, step.steps, `Sampling with the ideal denoiser of ${pictures()}, no network.`, `step ${step.step} of ${step.steps}`);
        if (!film) film = new Frames(step.steps, step.xt.length + step.x0.length);
        film.keep(step.step, step);
        if (calm.matches && step.step !== step.steps && performance.now() - drawnAt < 500) return undefined;
        drawnAt = performance.now();
        if (pair.hidden) {
          pair.hidden = false;
          reveal($('best-frame'));
        }
        show(step);
        return step.step % perPaint === 0 ? painted() : undefined;
      },
    });
  });
  if (result) timed('ideal', asked, performance.now() - began);
  const made = /** @type {Frames<ReverseStep> | null} */ (film);
  made?.end();
  $('best-film').hidden = !made || made.last < 2;
  slider.max = slider.value = String(made?.last ?? 1);
  const last = made?.get(made.last);
  if (last) show(last);
  if (result) say(`Done: ${options.count} from the ideal denoiser of ${pictures()}, no network, ${counted(result.steps, 'step')} in ${seconds(1000 * result.seconds)} on the processor. Move the slider to see what it predicted on the way.`);
}

/** A step: x_t after it, and x̂_0 as it was predicted before it. @param {ReverseStep} of */
function show({ step, steps, t, tNext, xt, x0, ...grid }) {
  drawGrid(xtCanvas, xt, { ...grid, gap: 1 });
  drawGrid(x0Canvas, x0, { ...grid, gap: 1 });
  $('best-xt-at').textContent = ` at t = ${Math.round(tNext)}`;
  $('best-x0-at').textContent = ` from t = ${Math.round(t)}`;
  $('best-step-out').textContent = `${step} of ${steps}`;
  slider.setAttribute('aria-valuetext', `step ${step} of ${steps}, t = ${Math.round(tNext)}`);
}

async function compare() {
  if (busy()) return undefined;
  /** @type {number} */ let seed;
  try { seed = number(field.seed); } catch (error) { return complain(error); }
  const rows = $('distances'), began = performance.now();
  rows.replaceChildren();
  results.hidden = false;
  reveal(results);
  const result = await run(async (report) => {
    const model = await load(report), T = model.trainSteps, timesteps = [...new Set(PARTS.map((part) => Math.max(1, Math.round(T * part))))];
    const doing = `Comparing the network with the ideal denoiser of ${pictures()} on ${adapterName()}.`;
    report(0, timesteps.length, doing, `timestep 0 of ${timesteps.length}`);
    return pollen.distanceToIdealDenoiser({
      images: data((square) => asNetwork(square, model)), timesteps, seed, class: chosenClass(),
      onTerm: ({ t, rmse }) => {
        const row = rows.appendChild(make('div'));
        row.append(make('dt', { textContent: `t = ${t}` }), make('dd', { textContent: figure(rmse) }));
        report(rows.children.length, timesteps.length, doing, `timestep ${rows.children.length} of ${timesteps.length}`);
      },
    });
  });
  if (result) say(`Done: the network is ${figure(Math.min(...result.map(({ rmse }) => rmse)))} to ${figure(Math.max(...result.map(({ rmse }) => rmse)))} from the ideal denoiser of ${pictures()}, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}
