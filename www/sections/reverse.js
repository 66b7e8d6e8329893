// The reverse chain: its settings and its run.
import { pollen } from '../api/pollen.js';
import { $, fields } from '../ui/dom.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { counted, seconds } from '../ui/numbers.js';
import { calm, Frames, revealEither } from '../ui/canvas.js';
import { defaultsOf, evaluations, firstSampler, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { saving } from './arrival.js';
import { chosen, chooseModel, load, pictured, preferFast, startShelf } from './models/shelf.js';
import { noise, showBefore } from './reverse/before.js';
import { estimate, measured } from './reverse/estimate.js';
import { current, lock, show, showRun, startFilm } from './reverse/film.js';
import { fillFrom, foreign, linked, putIntoAddress } from './reverse/link.js';
import { startTaking } from './reverse/take.js';
import { askedSize, offerSize } from './reverse/size.js';

/**
 * @import { Entry, Labels } from './models/entry.js'
 * @import { Numbers, Pictures } from './reverse/film.js'
 *
 * @typedef {ReturnType<typeof read>} Options
 */

const AT_ONCE = 200; // evaluations of the network for one picture that a link may start by itself

const form = $('reverse-form'), field = fields('reverse-form'), xtCanvas = $('xt-canvas', HTMLCanvasElement);
/** @type {Entry | null} */ let shown = null; // the model whose defaults are in the fields
/** @type {Entry | null} */ let named = null; // the model whose classes are in the field

export async function startReverse() {
  startFilm();
  startTaking();
  form.addEventListener('submit', (event) => { event.preventDefault(); generate(); });
  samplersKnown.then(() => {
    field.sampler.replaceChildren(...samplerOptions());
    if (shown) begin(shown);
  }, () => {});
  field.sampler.addEventListener('change', () => setDefaults(chosen()));
  field.class.addEventListener('change', showOptions);
  for (const input of [field.seed, field.count]) input.addEventListener('change', before);
  form.addEventListener('input', showEstimate);
  $('dice').addEventListener('click', () => { field.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]); before(); });
  await startShelf(describe, linked().get('model'));
  if (await fromLink()) return generate();
  if (!linked().size) pollen.ready.then(({ device }) => (device === 'cpu' ? preferFast() : null), () => {}); // main.js says why the engine did not start
  addEventListener('hashchange', () => { if (foreign() && !busy()) fromLink(); });
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
  before();
}

function showEstimate() {
  const valid = [field.steps, field.count, field.guidance, field.seed].every((input) => input.checkValidity());
  estimate(valid && field.sampler.value ? { model: field.model.value, sampler: field.sampler.value, steps: field.steps.valueAsNumber, count: field.count.valueAsNumber, guidance: shared().guidance } : null);
}

/** Before the first run, what it will start from and what the model made before. */
async function before() {
  const model = chosen(), seed = field.seed.valueAsNumber, count = field.count.valueAsNumber;
  if (!model || current() || busy() || !field.seed.checkValidity() || !field.count.checkValidity()) return;
  await pollen.ready.then(() => showBefore(model, { seed, count }), () => {}); // main.js says why the engine did not start
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
    .../** @type {{ width?: number, height?: number }} */ (askedSize()),
  };
}

async function generate() {
  if (busy()) return;
  /** @type {Options} */ let options;
  try { options = read(); } catch (error) { return complain(error); }
  lock();
  /** @type {Numbers[]} */ const steps = [];
  const { count, seed } = options, label = options.class === null ? '' : `, class ${field.class.selectedOptions[0].text}`;
  const about = `${chosen()?.title}${label}, seed ${seed}.`;
  /** @type {Frames<Pictures> | undefined} */ let frames;
  let drawnAt = -Infinity, began = performance.now();
  revealEither($('hero-reverse-frame'), $('xt-frame'));
  const result = await run(async (report) => {
    const loaded = await load(report), { model: _, clip, ...asked } = options;
    const { width = loaded.width, height = loaded.height } = options, start = await noise({ seed, count }, { channels: loaded.channels, width, height });
    report(0, 0, `Starting from noise${label}, on ${adapterName()}.`);
    began = performance.now();
    return pollen.generate({
      ...asked,
      ...(clip ? { scheduler: SAMPLERS[asked.sampler].clip ?? {} } : {}),
      onStep: (step) => {
        const { xt, x0, ...numbers } = step;
        if (!frames) (frames = new Frames(step.steps, xt.length + x0.length)).keep(0, { xt: start, x0 });
        steps[step.step] = numbers;
        frames.keep(step.step, { xt, x0 });
        report(step.step, step.steps, `Generating from noise${label}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        if (calm.matches && step.step !== step.steps && performance.now() - drawnAt < 500) return;
        drawnAt = performance.now();
        show(step, about);
      },
    });
  });
  frames?.end();
  showRun(frames ? { options, about, steps, frames } : null);
  if (frames && !result) return say(`${$('status').textContent} What was made until then, ${frames.last} of ${counted(steps[frames.last].steps, 'step')}, is kept.`);
  if (!result) return before();
  pictured(xtCanvas, result.shape[3], result.shape[2]);
  putIntoAddress(options);
  measured(options, performance.now() - began);
  showEstimate();
  say(`Done: ${counted(count, 'picture')}, ${counted(options.steps, 'step')} of ${SAMPLERS[options.sampler].title} in ${seconds(performance.now() - began)} on ${adapterName()}.${result.warnings.map((warning) => ` Note: ${warning}.`).join('')}`);
}

/** Settings from the address, so that a link shows what its sender saw; whether the picture can be made at once. */
async function fromLink() {
  await samplersKnown.catch(() => {});
  if (!field.sampler.length) return false; // the engine did not start, which main.js says
  const wanted = linked(), asked = wanted.get('model');
  await chooseModel(asked ?? field.model.value);
  if (!wanted.size) return false;
  const sampler = wanted.get('sampler') ?? '', known = Object.hasOwn(SAMPLERS, sampler);
  if (known) {
    field.sampler.value = sampler;
    setDefaults(chosen());
  }
  const refused = fillFrom(wanted, field);
  if (sampler && !known) refused.unshift(`sampler “${sampler}”`);
  const gone = asked !== null && asked !== field.model.value, own = asked === 'opened'; // from files, which an address cannot bring back
  if (gone && !own) refused.unshift(`model “${asked}”`);
  if (!field.class.value) field.class.selectedIndex = 0;
  showOptions();
  await before();
  $('reverse').scrollIntoView();
  if (refused.length) complain(`The link asks for ${refused.join(', ')}, which this page does not have. The fields show what stands instead.`);
  const cost = evaluations(field.sampler.value, field.steps.valueAsNumber) * field.count.valueAsNumber;
  const draw = !refused.length && !gone && chosen()?.from === 'site' && cost <= AT_ONCE && !saving() && !busy();
  if (!draw) say(`The settings are those of the link. ${gone ? 'Open its model for its picture.' : 'Press Generate for its picture.'}`);
  return draw;
}
