// The forward chain: the visitor's picture, the run, the scrubber, the curves and the formula with its numbers.
import { pollen } from '../../api/pollen.js';
import { $, pages, touch } from '../../ui/dom.js';
import { adapterName, complain, forgive, run, say } from '../../ui/runs.js';
import { calm, drawGrid, Frames, keepFitted, mix, painted, revealEither } from '../../ui/canvas.js';
import { pixels, toBytes } from '../../files/picture.js';
import { counted, figure, percent, seconds } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { captionForward, dissolve } from '../arrival.js';
import { drawFilm, layFilm, markFilm } from './film.js';
import { startFolds } from './folds.js';
import { histogram } from './histogram.js';
import { Jump } from './jump.js';
import { startForwardTaking } from './take.js';
import { logSnr, scheduleCharts } from './schedule.js';
import { field, read, setBetaFields } from './settings.js';
import { picture, take } from './picture.js';

const GONE = 0.01; // of the picture's variance: below this, what is left is noise
const RUN_SECONDS = 6; // a run is not drawn faster than this at 60 frames a second

/**
 * @import { Schedule } from '../../api/types.js'
 *
 * @typedef {{ frames: Frames<Uint8ClampedArray>, size: number, T: number, whole: boolean }} Made of a run, the whole or until it was cancelled
 */

const form = $('forward-form'), section = /** @type {HTMLElement} */ (form.parentElement);
const slider = $('forward-t', HTMLInputElement), canvas = $('forward-canvas', HTMLCanvasElement), jump = $('jump', HTMLInputElement);

/** @type {Schedule | null} */ let schedule = null; // β and ᾱ of what the curves show
/** @type {Jump | null} */ let single = null; // x_t of the settings without a run
/** @type {Made | null} */ let done = null;
const charts = scheduleCharts($('curves'), goTo), drawValues = histogram($('histogram'), $('moments')), folds = startFolds(goTo);
let settling = pollen.ready.then(() => {}); // until the settings are taken up
let t = 0, running = false, outdated = false; // settings that change during a run count after it

export function startForward() {
  keepFitted(canvas);
  showPicture();
  form.addEventListener('submit', (event) => { event.preventDefault(); diffuse(); });
  form.addEventListener('change', (event) => {
    if (event.target === jump) showWay();
    else { setBetaFields(); forget(); }
  });
  field.upload.addEventListener('change', async () => {
    await take(field.upload.files?.[0]);
    field.upload.value = ''; // so that the same file can be chosen again, and none stands there that was refused
  });
  document.addEventListener('picture', (event) => {
    const { detail: as } = /** @type {CustomEvent<{ size: number, channels: number } | undefined>} */ (event);
    if (as) [field.size.value, field.channels.value] = [String(Math.max(28, as.size)), String(as.channels)];
    forget();
  });
  slider.addEventListener('input', () => goTo(slider.valueAsNumber));
  slider.addEventListener('restore', async (event) => {
    for (let before; before !== settling;) await (before = settling).catch(() => {});
    goTo(Math.min(Number(slider.max), Number(/** @type {CustomEvent<string>} */ (event).detail) || 0));
    touch(slider); // the address may have been written without it
  });
  pages(slider, 50);
  startForwardTaking({
    shown: () => (single && schedule && !running ? { t, size: single.size, schedule, way: done && !jump.checked ? 'chain' : 'jump' } : null),
    at: async (at) => (await frameAt(at)).rgba,
    async go(at, way) {
      await forget();
      if (way === 'chain') await diffuse();
      await goTo(at);
    },
  });
  pollen.ready.then(forget).then(() => { if (single && schedule) dissolve(single, schedule, picture().title); }, () => {});
}

/** Settings changed: the last run no longer belongs to them. */
const forget = () => (settling = takeUp());

async function takeUp() {
  outdated = running;
  if (running) return;
  done = single = null;
  jump.checked = jump.disabled = true;
  slider.disabled = true;
  try {
    const options = read();
    forgive();
    showPicture();
    const of = await showSchedule(options), made = new Jump(picture().square, options, of);
    if (running || of !== schedule) return;
    single = made;
    const film = layFilm(of, goTo).map(async (at) => ({ at, rgba: (await made.at(at)).rgba }));
    for (const { at, rgba } of await Promise.all(film)) if (single === made) drawFilm(at, rgba, made.size);
    slider.disabled = false;
    t = 0;
    await showWay();
  } catch (error) {
    complain(error);
  }
}

function showPicture() {
  const size = Math.min(256, Math.max(28, field.size.valueAsNumber || 64)), channels = Number(field.channels.value);
  drawGrid(canvas, toBytes(pixels(picture().square, size, channels), size, channels), { width: size, height: size });
  caption(0);
}

/** @param {ReturnType<typeof read>} options */
async function showSchedule(options) {
  const made = schedule = await pollen.schedule(options), left = made.alphaBar[options.steps];
  slider.max = String(options.steps);
  $('f-left').textContent = left < GONE ? '' : `At t = ${options.steps} this leaves ${percent(left)} of the picture’s variance: not yet noise. A greater length or β removes more.`;
  charts.draw(made);
  folds.show({ options, schedule: made });
  return made;
}

async function diffuse() {
  /** @type {ReturnType<typeof read>} */ let options;
  try { options = read(); } catch (error) { return complain(error); }
  const { size, channels, steps } = options, { square, title: diffused } = picture();
  slider.disabled = jump.disabled = true;
  jump.checked = false;
  showWay();
  done = null;
  revealEither($('hero-forward-frame'), $('forward-frame'));
  const began = performance.now();
  running = true;
  /** @type {Frames<Uint8ClampedArray>} */ const frames = new Frames(steps, size * size * 4);
  const result = await run(async (report) => {
    const of = await showSchedule(options);
    single = new Jump(square, options, of);
    layFilm(of, goTo);
    const perPaint = Math.max(1, Math.round(steps / (60 * RUN_SECONDS)));
    let drawnAt = -Infinity;
    await pollen.diffuse({
      ...options, width: size, height: size, image: pixels(square, size, channels),
      onStep: (frame) => {
        frames.keep(frame.t, frame.rgba);
        drawFilm(frame.t, frame.rgba, size);
        report(frame.t, steps, `Diffusing ${diffused} on ${adapterName()}.`, `step ${frame.t} of ${steps}`);
        // Flicker is what "reduced motion" asks to be spared.
        if (calm.matches && frame.t !== steps && performance.now() - drawnAt < 500) return undefined;
        drawnAt = performance.now();
        drawGrid(canvas, frame.rgba, frame);
        caption(frame.t);
        show(frame.t);
        return frame.t % perPaint === 0 ? painted() : undefined;
      },
    });
    return true;
  });
  running = false;
  frames.end();
  if (outdated || !frames.get(frames.last)) await forget();
  else finish({ frames, size, T: frames.last, whole: Boolean(result) });
  if (!result) return;
  timed('diffuse', steps * size * size * channels, performance.now() - began);
  const left = schedule?.alphaBar[steps] ?? 0, [to, rest] = left < GONE ? ['noise', ''] : [`t = ${steps}`, ` ${percent(left)} of the picture’s variance is left: it is not noise yet.`];
  say(`Done: ${counted(steps, 'step')} from ${diffused} to ${to} in ${seconds(performance.now() - began)} on ${adapterName()}.${rest} Move the slider to go back through them.`);
}

/** @param {Made} made */
function finish(made) {
  done = made;
  slider.disabled = false;
  jump.disabled = !made.whole;
  goTo(made.T).then(() => touch(jump)); // for the address
}

/** @type {number | null} The timestep that was asked for last, of those that have to be computed. */ let pending = null;
let serving = false;
/**
 * Shows a timestep: of the run, by the chain or the jump; before one by the page's own jump.
 * @param {number} at
 */
async function goTo(at) {
  if (running) return;
  if (done && !jump.checked) at = Math.min(at, done.T); // a run that was cancelled ends there
  show(at);
  pending = at;
  if (serving || !single) return;
  serving = true;
  try {
    while (pending !== null) {
      const now = pending, of = done, /** @type {Jump} */ without = single;
      pending = null;
      const { rgba } = await frameAt(now);
      if (of !== done || without !== single || running) continue;
      drawGrid(canvas, rgba, { width: without.size, height: without.size });
      caption(now);
    }
  } catch (error) {
    complain(error);
  } finally {
    serving = false;
  }
}

/**
 * x_t by the way that is chosen: of the run, or in a jump of the page's own.
 * @param {number} at
 */
async function frameAt(at) {
  const way = jump.checked ? 'jump' : 'chain', kept = done && way === 'chain' ? (done.whole ? done.frames.get(at) : done.frames.near(at)) : null;
  if (kept) return { rgba: kept };
  return done ? pollen.forwardFrame({ t: at, way }) : /** @type {Jump} */ (single).at(at);
}

function showWay() {
  $('jump-formula').hidden = !jump.checked;
  $('chain-formula').hidden = jump.checked;
  return running ? undefined : goTo(t);
}

/**
 * Slider, cursor and every number of a timestep.
 * @param {number} at
 */
function show(at) {
  t = at;
  slider.value = String(at);
  slider.setAttribute('aria-valuetext', `t = ${at} of ${slider.max}`);
  $('forward-t-out').textContent = String(at);
  if (!schedule) return;
  charts.cursor(at);
  const beta = schedule.beta[at], alphaBar = schedule.alphaBar[at], passing = running && at < Number(slider.max), snr = alphaBar / (1 - alphaBar);
  folds.move(at, passing);
  mix($('forward-frame'), alphaBar);
  /** @type {Record<string, string>} */
  const values = {
    t: String(at), t1: String(at - 1),
    beta: at ? figure(beta) : '–', alpha: figure(alphaBar), snr: figure(logSnr(alphaBar)),
    keep: at ? figure(Math.sqrt(1 - beta)) : '–', add: at ? figure(Math.sqrt(beta)) : '–',
    signal: figure(Math.sqrt(alphaBar)), noise: figure(Math.sqrt(1 - alphaBar)), ratio: figure(snr), bits: figure(Math.log2(1 + snr) / 2),
  };
  if (single) drawValues(single, at, passing).catch(complain);
  section.classList.toggle('start', at === 0); // no step has led to t = 0
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (section.querySelectorAll('[data-v]'))) node.textContent = values[node.dataset.v ?? ''];
  markFilm(at);
}

/** @param {number} at of the picture that is drawn */
function caption(at) {
  const T = field.T.valueAsNumber;
  const way = jump.checked ? 'reached in one jump' : 'reached step by step';
  const left = schedule?.alphaBar[at] ?? 1, mixed = `${percent(left)} picture and ${percent(1 - left)} noise`;
  const text = at === 0 ? `t = 0: ${picture().title}, as it is diffused` : `t = ${at} of ${T}: ${mixed}, ${way}`;
  $('forward-caption').textContent = text;
  captionForward(text, at, left);
  canvas.setAttribute('aria-label', at === 0 ? `The picture before any noise: ${picture().title}` : `The picture at timestep ${at} of ${T}, ${way}`);
}
