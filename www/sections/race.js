// The race: up to four solvers from the same noise, one after another on the one engine, drawn side by side; with a model that has a
// Fast variant, each by either network.
import { pollen } from '../api/pollen.js';
import { $, make, touch } from '../ui/dom.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { counted, percent, seconds } from '../ui/numbers.js';
import { timed } from '../ui/pace.js';
import { drawGrid, Frames, keepFitted, pacing, reveal } from '../ui/canvas.js';
import { defaultsOf, evaluations, firstSampler, guidanceOf, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { toFrame } from './address.js';
import { best, chosen, load, ways } from './models/shelf.js';
import { noise, onNoise } from './reverse/before.js';

/**
 * @import { Entry } from './models/entry.js'
 * @typedef {{ class: number | null, guidance?: number, negative?: number, clip: boolean, seed: number }} Shared what the lanes have in common
 *
 * @typedef {object} Lane
 * @property {number} place
 * @property {HTMLSelectElement} sampler
 * @property {HTMLInputElement} steps
 * @property {HTMLSelectElement} way which of a model's networks
 * @property {HTMLElement} row
 * @property {HTMLElement} figure
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} caption
 *
 * @typedef {object} Finished a lane that has been run
 * @property {Lane} lane
 * @property {string} name
 * @property {string} text what it took
 * @property {string} sampler
 * @property {number} steps
 * @property {Entry | null} model
 * @property {ReturnType<typeof settingsOf>} settings
 * @property {Frames<Uint8ClampedArray>} frames
 * @property {number} evaluations
 * @property {number} width
 * @property {number} height
 * @property {Float32Array} sample
 * @property {number} seconds
 * @property {number} [distance] from the exact path, where that was measured
 */

/** @type {[string, number][]} */
const FIRST = [['ddim', 10], ['dpmpp-2m', 10], ['euler', 10], ['heun', 5]]; // what stands in the lanes at first
const slider = $('race-share', HTMLInputElement);

/** @type {Lane[]} */ let lanes = [];
/** @type {Finished[]} */ let finished = []; // of the last race
let racing = false;

/** @param {() => Shared} shared */
export function startRace(shared) {
  samplersKnown.then(() => begin(shared), () => {});
}

/** @param {() => Shared} shared */
function begin(shared) {
  lanes = FIRST.map(([sampler, steps], i) => lane(i + 1, sampler, steps));
  $('race-lanes').replaceChildren(...lanes.map(({ row }) => row));
  $('race-figures').replaceChildren(...lanes.map(({ figure }) => figure));
  lanes.forEach(({ canvas }) => keepFitted(canvas));
  onNoise((rgba, { width, height }, seed) => {
    if (racing || finished.length) return;
    for (const one of lanes) {
      one.figure.classList.remove('waiting');
      drawGrid(one.canvas, rgba, { width, height });
      if (one.sampler.value) label(one, SAMPLERS[one.sampler.value].title, `at the start, the noise of seed ${seed}`);
    }
  });
  $('race-form').addEventListener('submit', (event) => { event.preventDefault(); race(shared); });
  slider.addEventListener('input', () => showShare(slider.valueAsNumber / 100));
  $('race-ways').addEventListener('click', besideEachOther);
  offerWays();
}

/** Whether there are two networks to choose from, as another model is chosen. */
export function offerWays() {
  const none = !ways();
  $('race-form').classList.toggle('both', !none);
  $('race-ways').hidden = none;
  for (const { way } of lanes) way.hidden = none;
  for (const { way } of lanes) {
    way.options[0].text = leaveToBest() ? 'Best' : 'Chosen';
    way.options[1].hidden = leaveToBest();
  }
}

/** Whether a lane that names no network leaves it to Best: samplers are compared by how they follow a path, and Fast follows none. */
const leaveToBest = () => best() !== chosen();

/** Races Best and Fast as each begins, and nothing else. */
function besideEachOther() {
  const both = ways();
  if (!both) return;
  const settings = Object.entries(both).map(([way, model]) => ({ way, sampler: firstSampler(model), steps: defaultsOf(model, firstSampler(model)).steps }));
  for (const [i, { sampler, steps, way }] of lanes.entries()) {
    const wanted = settings[i];
    sampler.value = wanted?.sampler ?? '';
    if (wanted) steps.value = String(wanted.steps);
    way.value = wanted?.way ?? '';
    for (const field of [sampler, steps, way]) touch(field);
  }
  $('race-form', HTMLFormElement).requestSubmit();
}

/**
 * @param {number} place from 1 on
 * @param {string} first its sampler
 * @param {number} count its intervals
 * @returns {Lane}
 */
function lane(place, first, count) {
  const sampler = make('select');
  sampler.append(new Option('–', ''), ...samplerOptions());
  sampler.name = `solver${place}`;
  for (const option of sampler.options) option.defaultSelected = option.value === first;
  sampler.setAttribute('aria-label', `Sampler ${place}`);
  const steps = make('input', { type: 'number', name: `intervals${place}`, inputMode: 'numeric', min: '1', max: '1000', step: '1', defaultValue: String(count), required: true });
  steps.setAttribute('aria-label', `Steps of sampler ${place}`);
  steps.dataset.name = `The number of steps of sampler ${place}`;
  const way = make('select', { name: `way${place}` });
  way.append(new Option('Chosen', ''), new Option('Best', 'best'), new Option('Fast', 'fast'));
  way.setAttribute('aria-label', `Network of sampler ${place}`);
  const row = make('div', { className: 'row' });
  row.append(sampler, steps, way);
  const figure = make('figure', { className: 'picture' }), frame = make('div', { className: 'frame' });
  const canvas = make('canvas', { hidden: true }), caption = make('figcaption');
  canvas.setAttribute('role', 'img');
  frame.append(canvas);
  figure.append(frame, caption);
  const one = { place, sampler, steps, way, row, figure, canvas, caption };
  const show = () => {
    figure.hidden = steps.disabled = way.disabled = !sampler.value;
    figure.classList.toggle('waiting', Boolean(canvas.hidden)); // nothing has been drawn there
    if (sampler.value && !finished.some(({ lane }) => lane === one)) label(one, SAMPLERS[sampler.value].title); // what was raced keeps its name
  };
  sampler.addEventListener('change', show);
  show();
  return one;
}

/**
 * @param {Lane} lane
 * @param {string} what
 * @param {string} [detail]
 */
function label({ place, canvas, caption }, what, detail = '') {
  canvas.setAttribute('aria-label', `Lane ${place}: ${what}`);
  const name = make('b', { textContent: what });
  caption.replaceChildren(name, detail && `, ${detail}`);
}

/** The lanes that run, with their settings; those of the chosen model last, so that it is there afterwards. */
function read() {
  const both = ways(), model = chosen();
  const running = lanes.filter(({ sampler }) => sampler.value).map((lane) => {
    const way = /** @type {'best' | 'fast'} */ (lane.way.value || (leaveToBest() ? 'best' : '')), named = both?.[way];
    return { lane, sampler: lane.sampler.value, steps: number(lane.steps), model: named ?? model, own: Boolean(named), name: nameOf(lane, both && way) };
  });
  if (!running.length) throw new Error('The race needs at least one sampler: choose one in a lane.');
  return running.sort((a, b) => Number(a.model === model) - Number(b.model === model));
}

const nameOf = (/** @type {Lane} */ { sampler }, /** @type {string | null} */ way) => `${way === 'best' ? 'Best, ' : way === 'fast' ? 'Fast, ' : ''}${SAMPLERS[sampler.value].title}`;

/**
 * What a lane is asked for: as Generate, or, where it names its network, as that begins.
 * @param {Shared} shared
 * @param {{ sampler: string, model: Entry | null, own: boolean }} lane
 */
function settingsOf(shared, { sampler, model, own }) {
  const begins = defaultsOf(model, sampler), { clip: clipping } = SAMPLERS[sampler];
  const { clip, guidance, ...rest } = own ? { ...shared, clip: begins.clip, guidance: shared.class === null ? undefined : guidanceOf(model) } : shared;
  return { ...rest, ...(guidance === undefined ? {} : { guidance }), ...(clip && clipping ? { scheduler: clipping } : {}) };
}

/** @param {() => Shared} shared */
async function race(shared) {
  if (busy()) return undefined;
  let running, /** @type {Shared} */ options;
  try { running = read(); options = shared(); } catch (error) { return complain(error); }
  const total = running.reduce((sum, { sampler, steps }) => sum + evaluations(sampler, steps), 0);
  finished = [];
  slider.disabled = true;
  for (const { lane, name } of running) label(lane, name, 'waiting');
  let spent = 0;
  racing = true;
  const done = await run(async (report) => {
    const first = await load(report, running[0].model), { width, height } = first;
    const start = await noise({ seed: options.seed, count: 1 }, first);
    for (const { lane } of running) drawGrid(lane.canvas, start, { width, height });
    for (const { lane } of running) lane.figure.classList.remove('waiting');
    reveal($('race-figures'));
    const drawNow = pacing();
    let before = 0, ready = null;
    for (const { lane, sampler, steps, model, own, name } of running) {
      const asked = evaluations(sampler, steps), settings = settingsOf(options, { sampler, model, own });
      if (model !== ready) {
        await load(report, model);
        report(before, total, `The race: a step that does not count makes the kernels, on ${adapterName()}.`);
        await pollen.generate({ ...settings, scheduler: {}, sampler: 'ddim', steps: 1, count: 1 });
        ready = model;
      }
      /** @type {Finished['frames']} */ const frames = new Frames(asked, width * height * 4, 24e6);
      const result = await pollen.generate({
        ...settings, sampler, steps, count: 1,
        onStep: (step) => {
          frames.keep(step.step, step.xt);
          report(before + step.step, total, `The race, on ${adapterName()}.`, `${name}, step ${step.step} of ${step.steps}`);
          if (!drawNow(step.step === step.steps)) return;
          drawGrid(lane.canvas, step.xt, { width, height });
          label(lane, name, `t = ${Math.round(step.tNext)}`);
        },
      });
      before += asked;
      spent += result.seconds;
      const guided = (settings.guidance ?? 1) !== 1 ? 2 : 1;
      timed(`pass ${model?.id}`, guided * result.steps, 1000 * result.seconds);
      const text = `${counted(guided * result.steps, 'pass', 'passes')}${guided === 2 ? ' with guidance' : ''}${result.steps > steps ? ` in ${counted(steps, 'step')}` : ''}, ${seconds(1000 * result.seconds).replace(' ', '\u00a0')}`;
      label(lane, name, text);
      finished.push({ lane, name, text, sampler, steps, model, settings, frames, evaluations: result.steps, width, height, sample: result.sample, seconds: result.seconds });
    }
    return true;
  });
  racing = false;
  slider.disabled = !finished.length;
  toFrame(slider, 100);
  showShare(slider.valueAsNumber / 100);
  for (const { lane, name } of running.slice(finished.length)) label(lane, name, 'not finished');
  await import('./race/measure.js').then(({ offer }) => offer(finished), complain);
  const networks = new Set(running.map(({ model }) => model)).size > 1 ? ' by two networks' : '';
  if (done) say(`Done: a race of ${counted(running.length, 'sampler')}${networks} from the same noise in ${seconds(1000 * spent)} on ${adapterName()}. Move the slider to compare them on their way.`);
}

/**
 * Every lane as it was when that share of its chain was done.
 * @param {number} share 0 to 1
 */
function showShare(share) {
  for (const { lane, frames, evaluations: count, width, height } of finished) {
    const wanted = Math.max(1, Math.round(share * count));
    const at = [...Array(wanted).keys()].map((back) => wanted - back).find((index) => frames.get(index)) ?? frames.last;
    const frame = frames.get(at);
    if (frame) drawGrid(lane.canvas, frame, { width, height });
  }
  $('race-share-out').textContent = percent(share);
  slider.setAttribute('aria-valuetext', `${percent(share)} of each chain`);
}
