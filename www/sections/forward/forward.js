// The forward chain: the visitor's picture, the run, the scrubber, the curves and the formula with its numbers.
import { pollen } from '../../api/pollen.js';
import { adapterName, complain, forgive, number, run, say } from '../../ui/runs.js';
import { calm, drawGrid, Frames, keepFitted, painted, reveal } from '../../ui/canvas.js';
import { openPicture, pixels, toBytes } from '../../files/picture.js';
import { figure, seconds } from '../../ui/numbers.js';
import { evenlySpaced, logSnr, scheduleCharts } from './schedule.js';
import { daisy } from '../../files/daisy.js';

const FILM = 8; // frames of the strip after t = 0
const RUN_SECONDS = 6; // a run is not drawn faster than this at 60 frames a second

const $ = (id) => document.getElementById(id);
const form = $('forward-form'), slider = $('forward-t'), canvas = $('forward-canvas'), jump = $('jump');

let square = daisy(); // the picture's middle square
let title = 'the daisy';
let schedule = null; // β and ᾱ of what the curves show
let film = new Map(); // t → canvas
let done = null; // { frames, size, T } of the last whole run
let t = 0;
const charts = scheduleCharts($('curves'), (picked) => { if (done) goTo(picked); else show(picked, { numbersOnly: true }); });
let running = false, outdated = false; // settings that change during a run count after it

export function startForward() {
  keepFitted(canvas);
  showPicture();
  form.addEventListener('submit', (event) => { event.preventDefault(); diffuse(); });
  form.addEventListener('change', (event) => {
    if (event.target === $('upload')) take(event.target.files[0]);
    else if (event.target === jump) showWay();
    else { setBetaFields(); forget(); }
  });
  slider.addEventListener('input', () => goTo(slider.valueAsNumber));
  slider.addEventListener('keydown', (event) => {
    const by = { PageUp: 50, PageDown: -50 }[event.key];
    if (!by) return;
    event.preventDefault();
    goTo(Math.max(0, Math.min(slider.max, t + by)));
  });
  pollen.ready.then(forget, () => {});
}

/** The picture's middle square as a canvas, and what it is called. `document` hears of another one as "picture". */
export const picture = () => ({ square, title });

/** Takes a picture file from the picker, a drop or the clipboard. */
export async function take(file) {
  if (!file) return;
  forgive();
  try {
    square = await openPicture(file);
    title = file.name || 'the pasted picture';
    document.dispatchEvent(new Event('picture'));
    forget();
    say(`Opened ${title}. Press Diffuse to dissolve it.`);
  } catch (error) {
    complain(error);
  }
}

export function read() {
  const field = form.elements;
  return {
    size: number(field.size),
    channels: Number(field.channels.value),
    schedule: field.schedule.value,
    steps: number(field.T),
    betaStart: number(field.betaStart),
    betaEnd: number(field.betaEnd),
    seed: number(field.noise),
  };
}

function setBetaFields() {
  const free = form.elements.schedule.value !== 'cosine';
  form.elements.betaStart.disabled = form.elements.betaEnd.disabled = !free;
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
  const size = Math.min(256, Math.max(28, form.elements.size.valueAsNumber || 64)), channels = Number(form.elements.channels.value);
  drawGrid(canvas, toBytes(pixels(square, size, channels), size, channels), { width: size, height: size });
  caption(0);
}

async function showSchedule(options) {
  schedule = await pollen.schedule(options);
  slider.max = options.steps;
  charts.draw(schedule);
}

async function diffuse() {
  let options;
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
    const frames = new Frames(steps, size * size * 4);
    layFilm();
    const perPaint = Math.max(1, Math.round(steps / (60 * RUN_SECONDS)));
    let drawnAt = -Infinity;
    await pollen.diffuse({
      ...options, width: size, height: size, image: pixels(square, size, channels),
      onStep: (frame) => {
        frames.keep(frame.t, frame.rgba);
        if (film.has(frame.t)) drawGrid(film.get(frame.t), frame.rgba, frame);
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

function finish(result) {
  done = result;
  slider.disabled = jump.disabled = false;
  show(result.T);
}

function layFilm() {
  film = new Map();
  $('film').replaceChildren(...[0, ...evenlySpaced(schedule, FILM)].map((at) => {
    const item = document.createElement('li'), button = document.createElement('button'), picture = document.createElement('canvas');
    button.type = 'button';
    button.append(picture, `t = ${at}`);
    button.addEventListener('click', () => done && goTo(at));
    item.append(button);
    film.set(at, picture);
    return item;
  }));
}

/** Shows timestep `at` of the finished run, chain or jump. Only the latest request is served. */
let pending = null, serving = false;
async function goTo(at) {
  show(at);
  pending = at;
  if (serving || !done) return;
  serving = true;
  try {
    while (pending !== null) {
      const now = pending, of = done;
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

/** Slider, cursor, caption and every number of timestep `at`. */
function show(at, { numbersOnly = false } = {}) {
  t = at;
  if (!numbersOnly) {
    slider.value = at;
    slider.setAttribute('aria-valuetext', `t = ${at} of ${slider.max}`);
    $('forward-t-out').textContent = at;
    caption(at);
  }
  if (!schedule) return;
  charts.cursor(at);
  const beta = schedule.beta[at], alphaBar = schedule.alphaBar[at];
  const values = {
    t: at, t1: at - 1,
    beta: at ? figure(beta) : '–', alpha: figure(alphaBar), snr: figure(logSnr(alphaBar)),
    keep: at ? figure(Math.sqrt(1 - beta)) : '–', add: at ? figure(Math.sqrt(beta)) : '–',
    signal: figure(Math.sqrt(alphaBar)), noise: figure(Math.sqrt(1 - alphaBar)),
  };
  form.parentElement.classList.toggle('start', at === 0); // no step has led to t = 0
  for (const node of form.parentElement.querySelectorAll('[data-v]')) node.textContent = values[node.dataset.v];
  for (const [of, picture] of film) picture.parentElement.setAttribute('aria-current', String(of === at));
}

function caption(at) {
  const T = form.elements.T.valueAsNumber;
  const way = jump.checked ? 'reached in one jump' : 'reached step by step';
  $('forward-caption').textContent = at === 0 ? `t = 0: ${title}, as it is diffused` : `t = ${at} of ${T}, ${way}`;
  canvas.setAttribute('aria-label', at === 0 ? `The picture before any noise: ${title}` : `The picture at timestep ${at} of ${T}, ${way}`);
}
