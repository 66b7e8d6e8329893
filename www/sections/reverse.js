// The reverse chain: its settings, the run, its frames, the step's formula with its numbers.
import { pollen } from '../api/pollen.js';
import { $, fields, values as valuesOf } from '../ui/dom.js';
import { adapterName, complain, number, run, say } from '../ui/runs.js';
import { counted, figure, seconds } from '../ui/numbers.js';
import { calm, drawGrid, Frames, keepFitted, reveal } from '../ui/canvas.js';
import { saveGrid } from '../files/png.js';
import { defaultsOf, firstSampler, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { copyLink } from './link.js';
import { showTerms } from './step-formula.js';
import { chosen, chooseModel, load, pictured, startShelf } from './models/shelf.js';
import { askedSize, offerSize } from './size.js';

/**
 * @import { Generation, ReverseStep } from '../api/types.js'
 * @import { Entry, Labels } from './models/entry.js'
 *
 * @typedef {{ xt: Uint8ClampedArray, x0: Uint8ClampedArray }} Pictures
 * @typedef {Omit<ReverseStep, 'xt' | 'x0'>} Numbers of a step
 * @typedef {ReturnType<typeof read>} Options
 */

const form = $('reverse-form'), field = fields('reverse-form'), slider = $('reverse-frame', HTMLInputElement);
const xtCanvas = $('xt-canvas', HTMLCanvasElement), x0Canvas = $('x0-canvas', HTMLCanvasElement);
const buttons = [$('save', HTMLButtonElement), $('link', HTMLButtonElement)];
/** @type {Entry | null} */ let shown = null; // the model whose defaults are in the fields
/** @type {Entry | null} */ let named = null; // the model whose classes are in the field
/** @type {{ options: Options, result: Generation, steps: Numbers[], frames: Frames<Pictures> } | null} */ let last = null; // the last run

export async function startReverse() {
  keepFitted(xtCanvas);
  keepFitted(x0Canvas);
  form.addEventListener('submit', (event) => { event.preventDefault(); generate(); });
  samplersKnown.then(() => {
    field.sampler.replaceChildren(...samplerOptions());
    if (shown) begin(shown);
  }, () => {});
  field.sampler.addEventListener('change', () => setDefaults(chosen()));
  field.class.addEventListener('change', showOptions);
  $('dice').addEventListener('click', () => { field.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]); });
  slider.addEventListener('input', () => showFrame(slider.valueAsNumber));
  $('save').addEventListener('click', () => { if (last) saveGrid(last.result, last.options).catch(complain); });
  $('link').addEventListener('click', copyLink);
  await startShelf(describe, linked().get('model'));
  await fromLink();
  addEventListener('hashchange', fromLink);
}

/**
 * Another model, or more about it than before.
 * @param {Entry} model
 * @param {Labels | null} labels
 */
function describe(model, labels) {
  if (labels) {
    setClasses(labels, model === named ? null : model.defaults?.class);
    named = model;
  }
  field.steps.max = String(Math.max(1000, model.trainSteps ?? 0));
  offerSize(model);
  if (model !== shown) {
    shown = model;
    if (field.sampler.length) begin(model);
  }
  if (field.sampler.length) showOptions();
}

/**
 * The model's sampler and settings; needs the list of samplers.
 * @param {Entry} model
 */
function begin(model) {
  field.sampler.value = firstSampler(model);
  setDefaults(model);
}

/**
 * Steps, guidance and so on as the model, else the sampler, has them.
 * @param {Entry | null} model
 */
function setDefaults(model) {
  const { steps, guidance, clip, eta } = defaultsOf(model, field.sampler.value);
  field.steps.value = String(steps);
  field.guidance.value = String(guidance);
  field.eta.value = String(eta);
  field.clip.checked = clip;
  showOptions();
}

/**
 * `classes` are names by label, `any` the label for all of them; a model may have neither, or names alone.
 * @param {Labels} labels
 * @param {number | null} [wanted] the label to choose
 */
function setClasses({ classes, any }, wanted) {
  const now = String(wanted ?? field.class.value);
  const options = (classes ?? []).map((name, label) => new Option(name, String(label)));
  options.sort((a, b) => a.text.localeCompare(b.text, 'en', { numeric: true })); // nobody finds one of a hundred flowers by number
  if (!classes || any != null) options.unshift(new Option('Any', 'any'));
  field.class.replaceChildren(...options);
  field.class.value = options.some((option) => option.value === now) ? now : options[0].value;
  field.class.disabled = !classes;
  $('guidance-field').hidden = !classes || any == null;
}

/** The fields and the formula that belong to the sampler. */
function showOptions() {
  const { options } = SAMPLERS[field.sampler.value];
  for (const name of /** @type {const} */ (['eta', 'variance', 'clip'])) $(`${name}-field`).hidden = !options.includes(name);
  if (learned()) $('variance-field').hidden = true;
  field.guidance.disabled = field.class.value === 'any';
  for (const formula of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-solver]'))) {
    formula.hidden = !formula.dataset.solver?.split(' ').includes(formulaOf(field.sampler.value));
  }
}

/** The sampler itself, or 'other' where the page has no formula of its own for it. */
const formulaOf = (/** @type {string} */ sampler) => (document.querySelector(`[data-solver~="${sampler}"]`) ? sampler : 'other');

/** Whether the network itself says how much noise DDPM adds. */
const learned = () => Boolean(shown?.variance?.startsWith('learned'));

/** The label of the class; null is any. */
export const chosenClass = () => (field.class.value === 'any' ? null : Number(field.class.value));

/** What the race has in common with Generate. */
export function shared() {
  const guided = !$('guidance-field').hidden && field.class.value !== 'any';
  return {
    class: chosenClass(),
    ...(guided ? { guidance: number(field.guidance) } : {}),
    clip: field.clip.checked,
    seed: number(field.seed),
  };
}

function read() {
  const sampler = field.sampler.value, { options } = SAMPLERS[sampler], { clip, ...common } = shared();
  return {
    model: field.model.value,
    ...common,
    sampler,
    steps: number(field.steps),
    ...(options.includes('eta') ? { eta: number(field.eta) } : {}),
    ...(options.includes('variance') && !learned() ? { variance: /** @type {import('../api/types.js').GenerateOptions['variance']} */ (field.variance.value) } : {}),
    ...(options.includes('clip') ? { clip } : {}),
    count: number(field.count),
    ...askedSize(),
  };
}

async function generate() {
  /** @type {Options} */ let options;
  try { options = read(); } catch (error) { return complain(error); }
  for (const control of [slider, ...buttons]) control.disabled = true;
  last = null;
  /** @type {Numbers[]} */ const steps = [];
  const what = options.class === null ? 'noise' : `noise, class ${field.class.selectedOptions[0].text}`;
  /** @type {Frames<Pictures> | undefined} */ let frames;
  let drawnAt = -Infinity, began = performance.now();
  reveal($('xt-frame'));
  const result = await run(async (report) => {
    await load(report);
    const { model: _, clip, ...asked } = options;
    began = performance.now();
    return pollen.generate({
      ...asked,
      ...(clip ? { scheduler: SAMPLERS[asked.sampler].clip ?? {} } : {}),
      onStep: (step) => {
        const { xt, x0, ...numbers } = step;
        frames ??= new Frames(step.steps, xt.length + x0.length);
        steps[step.step] = numbers;
        frames.keep(step.step, { xt, x0 });
        report(step.step, step.steps, `Generating from ${what}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        if (calm.matches && step.step !== step.steps && performance.now() - drawnAt < 500) return;
        drawnAt = performance.now();
        draw(step);
        showNumbers(step);
      },
    });
  });
  if (!result || !frames) return;
  last = { options, result, steps, frames };
  slider.max = String(frames.last);
  slider.min = String(Math.min(frames.stride, frames.last));
  slider.step = String(frames.stride);
  for (const control of [slider, ...buttons]) control.disabled = false;
  showFrame(frames.last);
  pictured(xtCanvas, result.shape[3], result.shape[2]);
  history.replaceState(null, '', `#${new URLSearchParams(Object.entries(options).map(([k, v]) => [k, String(v ?? 'any')]))}`);
  say(`Done: ${counted(options.count, 'picture')}, ${counted(options.steps, 'step')} of ${SAMPLERS[options.sampler].title} in ${seconds(performance.now() - began)} on ${adapterName()}.${result.warnings.map((warning) => ` Note: ${warning}.`).join('')}`);
}

/** @param {Pictures & Numbers} step */
function draw({ xt, x0, count, width, height }) {
  drawGrid(xtCanvas, xt, { count, width, height, gap: 1 });
  drawGrid(x0Canvas, x0, { count, width, height, gap: 1 });
}

/** @param {number} index from 1 on */
function showFrame(index) {
  if (!last) return;
  const { frames, steps } = last, at = frames.get(index) ? index : frames.last, kept = frames.get(at), numbers = steps[at];
  slider.value = String(index);
  if (kept) draw({ ...numbers, ...kept });
  showNumbers(numbers);
}

/**
 * The step's numbers, in the list and in the formula.
 * @param {Numbers} step
 */
function showNumbers({ step, steps, t: from, tNext: to, terms }) {
  const [t, tNext] = [from, to].map((t) => Number(t.toFixed(1))); // solvers in σ-space visit fractional timesteps
  $('reverse-frame-out').textContent = `${step} of ${steps}`;
  slider.setAttribute('aria-valuetext', `step ${step} of ${steps}, t = ${tNext}`);
  const snr = terms.alphaBar / (1 - terms.alphaBar);
  /** @type {Record<string, string>} */
  const values = {
    t: `${t} → ${tNext}`, alpha: figure(terms.alphaBar), alphaNext: figure(terms.alphaBarNext), sigma: figure(terms.sigma), snr: figure(snr),
  };
  for (const node of valuesOf('reverse-values')) node.textContent = values[node.dataset.v ?? ''];
  showTerms({ t, tNext, terms });
}

const linked = () => new URLSearchParams(location.hash.slice(1));

/** Settings from the address, so that a link shows what its sender saw. */
async function fromLink() {
  await samplersKnown.catch(() => {});
  if (!field.sampler.length) return; // the engine did not start, which main.js says
  const wanted = linked();
  await chooseModel(wanted.get('model') ?? field.model.value);
  if (Object.hasOwn(SAMPLERS, wanted.get('sampler') ?? '')) {
    field.sampler.value = wanted.get('sampler') ?? '';
    setDefaults(chosen());
  }
  for (const name of ['class', 'steps', 'eta', 'variance', 'guidance', 'seed', 'count', 'width', 'height']) {
    const value = wanted.get(name);
    if (value !== null) field[name].value = value;
  }
  if (wanted.has('clip')) field.clip.checked = wanted.get('clip') === 'true';
  if (!field.class.value) field.class.selectedIndex = 0;
  showOptions();
}
