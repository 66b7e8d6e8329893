// The forward chain: the visitor's picture, the run, the scrubber, the curves and the formula with its numbers.
import { pollen } from '../../api/pollen.js';
import { $, fields, make } from '../../ui/dom.js';
import { adapterName, complain, forgive, number, run, say } from '../../ui/runs.js';
import { calm, drawGrid, Frames, keepFitted, painted, reveal } from '../../ui/canvas.js';
import { pixels, toBytes } from '../../files/picture.js';
import { openWhole, refuse } from '../whole.js';
import { figure, seconds } from '../../ui/numbers.js';
import { evenlySpaced, logSnr, scheduleCharts } from './schedule.js';
import { daisy } from '../../files/daisy.js';

const FILM = 8; // frames of the strip after t = 0
const RUN_SECONDS = 6; // a run is not drawn faster than this at 60 frames a second

/**
 * @import { DiffuseOptions, Schedule } from '../../api/types.js'
 *
 * @typedef {{ frames: Frames<Uint8ClampedArray>, size: number, T: number, title: string }} Finished a whole run
 */

const form = $('forward-form'), field = fields('forward-form'), section = /** @type {HTMLElement} */ (form.parentElement);
const slider = $('forward-t', HTMLInputElement), canvas = $('forward-canvas', HTMLCanvasElement), jump = $('jump', HTMLInputElement);

let square = daisy(); // the picture's middle square
let title = 'the daisy';
/** @type {Schedule | null} */ let schedule = null; // β and ᾱ of what the curves show
/** @type {Map<number, HTMLCanvasElement>} */ let film = new Map(); // by t
/** @type {Finished | null} */ let done = null;
let t = 0;
const charts = scheduleCharts($('curves'), (picked) => { if (done) goTo(picked); else show(picked, { numbersOnly: true }); });
let running = false, outdated = false; // settings that change during a run count after it

export function startForward() {
  keepFitted(canvas);
  showPicture();
  form.addEventListener('submit', (event) => { event.preventDefault(); diffuse(); });
  form.addEventListener('change', (event) => {
    if (event.target === field.upload) take(field.upload.files?.[0]);
    else if (event.target === jump) showWay();
    else { setBetaFields(); forget(); }
  });
  slider.addEventListener('input', () => goTo(slider.valueAsNumber));
  slider.addEventListener('keydown', (event) => {
    const by = event.key === 'PageUp' ? 50 : event.key === 'PageDown' ? -50 : 0;
    if (!by) return;
    event.preventDefault();
    goTo(Math.max(0, Math.min(Number(slider.max), t + by)));
  });
  pollen.ready.then(forget, () => {});
}

/** The picture's middle square as a canvas, and what it is called. `document` hears of another one as "picture". */
export const picture = () => ({ square, title });

/**
 * Takes a picture file from the picker, a drop or the clipboard.
 * @param {File | undefined} file
 * @param {boolean} [asItIs] even where it is damaged
 */
export async function take(file, asItIs = false) {
  if (!file) return;
  forgive();
  try {
    square = await openWhole(file, asItIs);
    title = file.name || 'the pasted picture';
    document.dispatchEvent(new Event('picture'));
    forget();
    say(`Opened ${title}. Press Diffuse to dissolve it.`);
  } catch (error) {
    refuse(error, () => take(file, true));
  }
}

export function read() {
  return {
    size: number(field.size),
    channels: /** @type {1 | 3} */ (Number(field.channels.value)),
    schedule: /** @type {DiffuseOptions['schedule']} */ (field.schedule.value),
    steps: number(field.T),
    betaStart: number(field.betaStart),
    betaEnd: number(field.betaEnd),
    seed: number(field.noise),
  };
}

function setBetaFields() {
  field.betaStart.disabled = field.betaEnd.disabled = field.schedule.value === 'cosine';
}

/** Settings changed: the last run no longer belongs to them. */
async function forget() {
  outdated = running;
  if (running) return;
  done = null;
  slider.disabled = jump.disabled = true;
  film.clear();
  $('film').replaceChildren();
  try {
    const options = read();
    forgive();
    showPicture();
    await showSchedule(options);
    show(0);
  } catch (error) {
    complain(error);
  }
}

function showPicture() {
  const size = Math.min(256, Math.max(28, field.size.valueAsNumber || 64)), channels = Number(field.channels.value);
  drawGrid(canvas, toBytes(pixels(square, size, channels), size, channels), { width: size, height: size });
  caption(0);
}

/** @param {ReturnType<typeof read>} options */
async function showSchedule(options) {
  schedule = await pollen.schedule(options);
  slider.max = String(options.steps);
  charts.draw(schedule);
}

async function diffuse() {
  /** @type {ReturnType<typeof read>} */ let options;
  try { options = read(); } catch (error) { return complain(error); }
  const { size, channels, steps } = options, diffused = title;
  done = null;
  slider.disabled = jump.disabled = true;
  jump.checked = false;
  showWay();
  reveal($('forward-frame'));
  const began = performance.now();
  running = true;
  const result = await run(async (report) => {
    await showSchedule(options);
    /** @type {Frames<Uint8ClampedArray>} */ const frames = new Frames(steps, size * size * 4);
    layFilm();
    const perPaint = Math.max(1, Math.round(steps / (60 * RUN_SECONDS)));
    let drawnAt = -Infinity;
    await pollen.diffuse({
      ...options, width: size, height: size, image: pixels(square, size, channels),
      onStep: (frame) => {
        frames.keep(frame.t, frame.rgba);
        const small = film.get(frame.t);
        if (small) drawGrid(small, frame.rgba, frame);
        report(frame.t, steps, `Diffusing ${diffused} on ${adapterName()}.`, `step ${frame.t} of ${steps}`);
        // Flicker is what "reduced motion" asks to be spared.
        if (calm.matches && frame.t !== steps && performance.now() - drawnAt < 500) return undefined;
        drawnAt = performance.now();
        drawGrid(canvas, frame.rgba, frame);
        show(frame.t);
        return frame.t % perPaint === 0 ? painted() : undefined;
      },
    });
    return { frames, size, T: steps, title: diffused };
  });
  running = false;
  if (outdated) await forget();
  else if (result) finish(result);
  if (result) say(`Done: ${steps} steps from ${result.title} to noise in ${seconds(performance.now() - began)} on ${adapterName()}. Move the slider to go back through them.`);
}

/** @param {Finished} result */
function finish(result) {
  done = result;
  slider.disabled = jump.disabled = false;
  show(result.T);
}

function layFilm() {
  film = new Map();
  if (!schedule) return;
  $('film').replaceChildren(...[0, ...evenlySpaced(schedule, FILM)].map((at) => {
    const item = make('li'), button = make('button', { type: 'button' }), picture = make('canvas');
    button.append(picture, `t = ${at}`);
    button.addEventListener('click', () => { if (done) goTo(at); });
    item.append(button);
    film.set(at, picture);
    return item;
  }));
}

/** @type {number | null} The timestep that was asked for last, of those that have to be computed. */ let pending = null;
let serving = false;
/**
 * Shows a timestep of the finished run, by the chain or the jump.
 * @param {number} at
 */
async function goTo(at) {
  show(at);
  pending = at;
  if (serving || !done) return;
  serving = true;
  try {
    while (pending !== null) {
      const now = pending, /** @type {Finished} */ of = done;
      pending = null;
      const way = jump.checked ? 'jump' : 'chain';
      const kept = way === 'chain' ? of.frames.get(now) : null;
      const rgba = kept ?? (await pollen.forwardFrame({ t: now, way })).rgba;
      if (of === done) drawGrid(canvas, rgba, { width: of.size, height: of.size });
    }
  } catch (error) {
    complain(error);
  } finally {
    serving = false;
  }
}

function showWay() {
  $('jump-formula').hidden = !jump.checked;
  $('chain-formula').hidden = jump.checked;
  if (done) goTo(t);
  else show(t);
}

/**
 * Slider, cursor, caption and every number of a timestep.
 * @param {number} at
 * @param {{ numbersOnly?: boolean }} [options]
 */
function show(at, { numbersOnly = false } = {}) {
  t = at;
  if (!numbersOnly) {
    slider.value = String(at);
    slider.setAttribute('aria-valuetext', `t = ${at} of ${slider.max}`);
    $('forward-t-out').textContent = String(at);
    caption(at);
  }
  if (!schedule) return;
  charts.cursor(at);
  const beta = schedule.beta[at], alphaBar = schedule.alphaBar[at];
  /** @type {Record<string, string>} */
  const values = {
    t: String(at), t1: String(at - 1),
    beta: at ? figure(beta) : '–', alpha: figure(alphaBar), snr: figure(logSnr(alphaBar)),
    keep: at ? figure(Math.sqrt(1 - beta)) : '–', add: at ? figure(Math.sqrt(beta)) : '–',
    signal: figure(Math.sqrt(alphaBar)), noise: figure(Math.sqrt(1 - alphaBar)),
  };
  section.classList.toggle('start', at === 0); // no step has led to t = 0
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll('[data-v]'))) node.textContent = values[node.dataset.v ?? ''];
  for (const [of, picture] of film) picture.parentElement?.setAttribute('aria-current', String(of === at));
}

/** @param {number} at */
function caption(at) {
  const T = field.T.valueAsNumber;
  const way = jump.checked ? 'reached in one jump' : 'reached step by step';
  $('forward-caption').textContent = at === 0 ? `t = 0: ${title}, as it is diffused` : `t = ${at} of ${T}, ${way}`;
  canvas.setAttribute('aria-label', at === 0 ? `The picture before any noise: ${title}` : `The picture at timestep ${at} of ${T}, ${way}`);
}
