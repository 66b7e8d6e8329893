// The film of a run: its frames and their numbers, by slider, step by step, or played.
import { $, make, touch, values as valuesOf } from '../../ui/dom.js';
import { counted, figure } from '../../ui/numbers.js';
import { drawGrid, keepFitted, mix } from '../../ui/canvas.js';
import { complain } from '../../ui/runs.js';
import { toFrame } from '../address.js';
import { showReverse } from '../arrival.js';
import { showTerms } from './step-formula.js';
import { layStrip, lockStrip, markStrip } from './strip.js';

/**
 * @import { ModelFile, ReverseStep } from '../../api/types.js'
 * @import { Entry } from '../models/entry.js'
 * @import { Frames } from '../../ui/canvas.js'
 *
 * @typedef {{ xt: Uint8ClampedArray, x0: Uint8ClampedArray, eps: Uint8ClampedArray }} Pictures
 * @typedef {Omit<ReverseStep, 'xt' | 'x0' | 'eps'>} Numbers of a step
 *
 * @typedef {object} Run the last one, whole or until it was cancelled
 * @property {Record<string, any>} options as in the address
 * @property {string} about model, class and seed in words
 * @property {Numbers[]} steps from 1 on
 * @property {Frames<Pictures>} frames from 0, the noise, on
 * @property {Entry} model
 * @property {ModelFile[] | null} files of the model, where it did not come with the site
 */

const slider = $('reverse-frame', HTMLInputElement), button = $('film-play', HTMLButtonElement), speed = $('film-speed', HTMLSelectElement);
const xtCanvas = $('xt-canvas', HTMLCanvasElement), x0Canvas = $('x0-canvas', HTMLCanvasElement), epsCanvas = $('eps-canvas', HTMLCanvasElement);
const controls = [slider, button, ...['film-back', 'film-on', 'save', 'share', 'link', 'to-forward'].map((id) => $(id, HTMLButtonElement)), .../** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#take [data-take]'))];

/** @type {Run | null} */ let run = null;
/** @type {ReturnType<typeof setInterval> | null} */ let playing = null; // its timer

/** @type {(() => void)[]} */ const listeners = [];

/** @param {() => void} listener hears of every frame of a run that is shown */
export const onFrame = (listener) => listeners.push(listener);

/** Frames a second. */
export const filmSpeed = () => Number(speed.value);

export function startFilm() {
  for (const canvas of [xtCanvas, x0Canvas, epsCanvas]) keepFitted(canvas);
  slider.addEventListener('input', () => goTo(slider.valueAsNumber));
  $('path').addEventListener('toggle', () => import('./path.js').then(({ startPath }) => startPath()).catch(complain), { once: true });
  $('film-back').addEventListener('click', () => go(-1));
  $('film-on').addEventListener('click', () => go(1));
  button.addEventListener('click', () => { if (playing === null) begin(); else stop(); });
  speed.addEventListener('change', () => { if (playing !== null) begin(); });
}

/** The run that is shown and the frame of it, or nothing. */
export function current() {
  if (!run) return null;
  const index = at(slider.valueAsNumber), pictures = run.frames.get(index);
  return pictures ? { ...run, index, pictures, numbers: run.steps[Math.max(1, index)] } : null;
}

/** While another run goes on nothing of the last one can be moved. */
export function lock() {
  stop();
  lockStrip(true);
  for (const control of controls) control.disabled = true;
}

/** @param {Run | null} shown becomes the film, at its end; null: the one before stays */
export function showRun(shown) {
  if (shown) {
    run = shown;
    layStrip(run, pick);
    $('path').hidden = false;
  }
  if (!run) return;
  const { frames } = run;
  lockStrip(false);
  slider.max = String(frames.last);
  slider.step = String(frames.stride);
  for (const control of controls) control.disabled = false;
  toFrame(slider, frames.last);
  showFrame(slider.valueAsNumber);
}

/** The frame kept at or before that one. */
const at = (/** @type {number} */ index) => (run?.frames.near(index) ? (run.frames.get(index) ? index : index - (index % run.frames.stride)) : run?.frames.last ?? 0);

/** @param {number} direction 1 or −1 */
function go(direction) {
  stop();
  step(direction);
  touch(slider); // for the address
}

/**
 * One kept frame on or back; false where there is none.
 * @param {number} direction
 */
function step(direction) {
  if (!run) return false;
  const { frames } = run, now = slider.valueAsNumber;
  const next = direction > 0 ? Math.min(frames.last, at(now) + frames.stride) : Math.max(0, Math.ceil(now / frames.stride) * frames.stride - frames.stride);
  if (next !== now) showFrame(next);
  return next !== now;
}

/** @param {number} [each] milliseconds of a frame */
function begin(each = 1000 / Number(speed.value)) {
  stop();
  if (run && slider.valueAsNumber >= run.frames.last) showFrame(0);
  playing = setInterval(() => { if (!step(1)) stop(); }, each);
  slider.dataset.playing = '';
  button.textContent = 'Pause film';
}

/** Plays it once, from the noise on, in so many milliseconds. */
export function play(/** @type {number} */ ms) {
  if (run) begin((ms * run.frames.stride) / (run.frames.last + 1));
}

function stop() {
  if (playing !== null) {
    clearInterval(playing);
    playing = null;
    delete slider.dataset.playing;
    touch(slider);
  }
  button.textContent = 'Play film';
}

/** The frame that a visitor has chosen; while another run goes on there is none. @param {number} index */
function goTo(index) {
  if (slider.disabled) return;
  stop();
  showFrame(index);
}

/** The same, by a picture or a chart in the slider's place. @param {number} index */
export function pick(index) {
  goTo(index);
  touch(slider);
}

/** @param {number} index from 0, the noise, on */
export function showFrame(index) {
  if (!run) return;
  const place = at(index), pictures = run.frames.get(place), numbers = run.steps[Math.max(1, place)];
  slider.value = String(index);
  markStrip(place);
  if (pictures && numbers) show({ ...numbers, ...pictures }, run.about, place);
  for (const listener of listeners) listener();
}

/**
 * A step's pictures with their captions, and its numbers in the list and in the formula.
 * @param {Pictures & Numbers} step
 * @param {string} about model, class and seed in words
 * @param {number} [place] 0: the noise that the first step starts from
 */
export function show({ xt, x0, eps, count, width, height, step, steps, t: from, tNext: to, terms }, about, place = step) {
  const grid = { count, width, height, gap: 1 };
  const [t, tNext] = [from, to].map((t) => Number(t.toFixed(1))); // solvers in σ-space visit fractional timesteps
  const after = place ? `after step ${step} of ${steps}` : `before the first of ${counted(steps, 'step')}`;
  drawGrid(xtCanvas, xt, grid);
  drawGrid(x0Canvas, x0, grid);
  drawGrid(epsCanvas, eps, grid);
  for (const canvas of [x0Canvas, epsCanvas]) canvas.closest('figure')?.removeAttribute('hidden');
  mix($('xt-frame'), place ? terms.alphaBarNext : terms.alphaBar);
  caption('xt-caption', place ? 't′' : 'T', `${place ? ` at t′ = ${tNext}, ${after}` : ': the noise that the chain starts from'}. ${about}`);
  $('x0-caption').replaceChildren(make('i', { textContent: 'x̂' }), make('sub', { textContent: '0' }),
    place ? `, the finished picture as the network predicted it at t = ${t}` : ', the first prediction that the network makes of it');
  $('eps-caption').replaceChildren(make('i', { className: 'noise', textContent: 'ε̂' }), `, the noise that the network predicted ${place ? 'there' : 'first'}, from which that picture follows by the first formula, clipped where that is asked. Grey is 0, black −3, white 3.`);
  epsCanvas.setAttribute('aria-label', `The noise that the network predicted at t = ${t}, ${after}: ${about}`);
  xtCanvas.setAttribute('aria-label', `The samples x t ${after}: ${about}`);
  x0Canvas.setAttribute('aria-label', `The network's guess of the finished samples ${after}: ${about}`);
  showReverse(xt, grid, `${place ? `t = ${tNext}, ${after}` : 'Noise'}. ${about}`, place ? terms.alphaBarNext : terms.alphaBar);
  $('reverse-frame-out').textContent = `${place} of ${steps}`;
  slider.setAttribute('aria-valuetext', place ? `step ${step} of ${steps}, t = ${tNext}` : `the starting noise, t = ${t}`);
  /** @type {Record<string, string>} */
  const values = {
    t: `${t} → ${tNext}`, alpha: figure(terms.alphaBar), alphaNext: figure(terms.alphaBarNext), sigma: figure(terms.sigma),
    snr: figure(terms.alphaBar / (1 - terms.alphaBar)),
  };
  for (const node of valuesOf('reverse-values')) node.textContent = values[node.dataset.v ?? ''];
  $('reverse-values').hidden = false;
  for (const id of ['step-live', 'hero-reverse-live']) showTerms({ t, tNext, terms }, id);
}

/**
 * ε̂ of a step as a grid like its pictures: unit noise, 0 grey, −3 black and 3 white. Of transparency nothing is shown.
 * @param {ReverseStep} step
 */
export function drawnNoise({ eps = new Float32Array(), xt, count, width, height }) {
  const rgba = new Uint8ClampedArray(xt.length).fill(255), area = width * height, each = eps.length / count, across = Math.ceil(Math.sqrt(count));
  const planes = each / area < 3 ? [0, 0, 0] : [0, 1, 2];
  for (let i = 0; i < count * area; i++) {
    const of = Math.floor(i / area), pixel = i % area, row = Math.floor(of / across) * height + Math.floor(pixel / width);
    const at = 4 * ((row * across + (of % across)) * width + (pixel % width));
    planes.forEach((plane, c) => { rgba[at + c] = 127.5 + 42.5 * eps[of * each + plane * area + pixel]; });
  }
  return rgba;
}

/**
 * @param {string} id
 * @param {string} index of x
 * @param {string} text
 */
export function caption(id, index, text) {
  $(id).replaceChildren(make('i', { textContent: 'x' }), make('sub', { textContent: index }), text);
}
