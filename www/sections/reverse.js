// The reverse chain: its settings and its run.
import { pollen } from '../api/pollen.js';
import { $, fits, touch } from '../ui/dom.js';
import { adapterName, busy, complain, run, say } from '../ui/runs.js';
import { counted, seconds } from '../ui/numbers.js';
import { Frames, pacing, revealEither } from '../ui/canvas.js';
import { evaluations, firstSampler, SAMPLERS, samplerOptions, samplersKnown } from '../ui/samplers.js';
import { saving } from './arrival.js';
import { showQuality } from './models/quality.js';
import { chosen, chooseModel, load, pictured, startShelf, ways } from './models/shelf.js';
import { decideWay } from './models/ways.js';
import { arrive, FILM_MS } from './reverse/arrive.js';
import { noise, showBefore } from './reverse/before.js';
import { estimate, measured } from './reverse/estimate.js';
import { field, forEngine, form, read, setClasses, setDefaults, shared, showOptions } from './reverse/fields.js';
import { current, drawnNoise, lock, play, show, showRun, startFilm } from './reverse/film.js';
import { mark, remember } from './reverse/gallery.js';
import { fragment, inAddress, linked, ofReverse, onLink, place, putIntoAddress } from './address.js';
import { judgeFirst } from './reverse/first.js';
import { fillFrom, linkedForm, noteModel, offerModel, press } from './reverse/link.js';
import { startTaking } from './reverse/take.js';
import { offerWays } from './race.js';
import { offerSize } from './reverse/size.js';

/**
 * @import { Entry, Labels } from './models/entry.js'
 * @import { Numbers, Pictures, Run } from './reverse/film.js'
 */

const AT_ONCE = 200; // evaluations of the network for one picture that a link may start by itself

const xtCanvas = $('xt-canvas', HTMLCanvasElement);
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
  form.addEventListener('change', note);
  $('dice').addEventListener('click', reseed);
  $('another').addEventListener('click', () => { if (!busy()) { reseed(); generate(); } });
  await startShelf(describe, linked().get('model'));
  pollen.ready.then(decideWay, () => {});
  const followed = async () => (await fromLink()) && follow();
  onLink(followed);
  if (!(await followed()) && !linked().size) await pollen.ready.then((adapter) => arrive(adapter, () => generate(true)), () => {}); // main.js says why the engine did not start
}

function reseed() {
  field.seed.value = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  touch(field.seed);
}

const numbersFit = () => [field.steps, field.count, field.guidance, field.seed].every(fits);

/** The address has the settings as they stand, where they are in order. */
function note() {
  if (numbersFit() && form.checkValidity() && field.sampler.value) putIntoAddress(read());
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
  offerWays();
  document.dispatchEvent(new CustomEvent('model'));
  showQuality(ways());
  document.dispatchEvent(new Event('model'));
  if (model !== shown) {
    shown = model;
    if (field.sampler.length) begin(model);
  }
  if (field.sampler.length) {
    showOptions();
    showEstimate();
  }
  if (inAddress()) note();
  noteModel(model);
  before();
}

function showEstimate() {
  estimate(numbersFit() && field.sampler.value ? { model: field.model.value, sampler: field.sampler.value, steps: field.steps.valueAsNumber, count: field.count.valueAsNumber, guidance: shared().guidance } : null, !field.guidance.closest('[hidden]') && field.class.value === 'any' && field.guidance.valueAsNumber !== 1);
}

/** Before the first run, what it will start from and what the model made before. */
async function before() {
  const model = chosen(), seed = field.seed.valueAsNumber, count = field.count.valueAsNumber;
  if (!model || current() || busy() || !fits(field.seed) || !fits(field.count)) return;
  await pollen.ready.then(() => showBefore(model, { seed, count }), () => {}); // main.js says why the engine did not start
}

/**
 * The model's sampler and settings; needs the list of samplers.
 * @param {Entry} model
 */
function begin(model) {
  field.sampler.value = firstSampler(model);
  setDefaults(model);
  showEstimate();
}

/** @type {Frames<Pictures> | undefined} */ let arrived; // of the run that the page made by itself

/**
 * Makes the pictures that are set up; whether it did.
 * @param {boolean} [unasked] by the visitor, whose address stays as it is
 */
async function generate(unasked = false) {
  if (busy()) return false;
  /** @type {ReturnType<typeof read>} */ let options;
  try { options = read(); } catch (error) { complain(error); return false; }
  const last = current(), again = JSON.stringify(last?.options) === JSON.stringify(options), seen = again && last?.frames !== arrived;
  lock();
  /** @type {Numbers[]} */ const steps = [];
  const { count, seed } = options, model = chosen(), label = options.class === null ? '' : `, class ${field.class.selectedOptions[0].text}`;
  const about = `${model?.title}${label}, seed ${seed}.`;
  /** @type {Frames<Pictures> | undefined} */ let frames;
  const drawNow = pacing();
  let began = performance.now();
  revealEither($('hero-reverse-frame'), $('xt-frame'));
  const result = await run(async (report) => {
    const loaded = await load(report, model);
    const { width = loaded.width, height = loaded.height } = options, start = await noise({ seed, count }, { channels: loaded.channels, width, height });
    report(0, 0, `Starting from noise${label}, on ${adapterName()}.`);
    began = performance.now();
    return pollen.generate({
      ...forEngine(options), eps: true,
      onStep: (step) => {
        const { xt, x0, eps, ...numbers } = step, pictures = { xt, x0, eps: drawnNoise(step) };
        if (!frames) (frames = new Frames(step.steps, 3 * xt.length)).keep(0, { ...pictures, xt: start });
        steps[step.step] = numbers;
        frames.keep(step.step, pictures);
        report(step.step, step.steps, `Generating from noise${label}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        if (drawNow(step.step === step.steps)) show({ ...numbers, ...pictures }, about);
      },
    });
  });
  frames?.end();
  /** @type {Run | null} */ const made = frames && model ? { options, about, steps, frames, model, files: pollen.files } : null;
  showRun(made);
  if (frames && !result) say(`${$('status').textContent} What was made until then, ${frames.last} of ${counted(steps[frames.last].steps, 'step')}, is kept.`);
  else if (!result) before();
  if (!result) return false;
  if (model) pictured(model, xtCanvas, result.shape[3], result.shape[2]);
  if (made) {
    judgeFirst(made);
    remember(made, xtCanvas, bring);
  }
  if (unasked) arrived = made?.frames;
  else if (again && !seen) play(FILM_MS); // the page had made it by itself: who presses for the first time sees it form
  if (!unasked && model === chosen()) putIntoAddress(options); // of another that was chosen meanwhile the fields have the settings
  measured(options, performance.now() - began);
  showEstimate();
  say(`Done: ${counted(count, 'picture')}, ${counted(options.steps, 'step')} of ${SAMPLERS[options.sampler].title} in ${seconds(performance.now() - began)} on ${adapterName()}.${seen ? ' The same as before, since the seed is the same: Another takes a new one.' : ''}${result.warnings.map((warning) => ` Note: ${warning}.`).join('')}`);
  return true;
}

/**
 * A run of this visit: its settings in the fields, and its film, which is made again where it is not `whole`.
 * @param {Run} made
 * @param {boolean} whole
 */
async function bring(made, whole) {
  if (busy()) return complain('A run is going on. Cancel it, or wait for its end, and bring the other back then.');
  const { gone } = await fill(new URLSearchParams(fragment(made.options).slice(1)));
  if (!whole) return gone || generate();
  showRun(made);
  mark(made);
  return say(`Here again: ${made.about}`);
}

/**
 * Puts the settings of a picture into the fields: what of them could not be, and whether the page does not have the model.
 * @param {URLSearchParams} wanted
 */
async function fill(wanted) {
  const asked = wanted.get('model'), sampler = wanted.get('sampler') ?? '', known = Object.hasOwn(SAMPLERS, sampler);
  await chooseModel(asked ?? field.model.value);
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
  showEstimate();
  note();
  await before();
  if (refused.length) complain(`The link asks for ${refused.join(', ')}, which this page does not have. The fields show what stands instead.`);
  return { refused, gone };
}

/** Makes the picture of a link, from which another may go on. */
async function follow() {
  const form = linkedForm(), made = await generate();
  if (made && form) say(`${$('status').textContent} ${press(form)}, which goes on from it.`);
  return true;
}

/** Settings from the address, so that a link shows what its sender saw; whether the picture can be made at once. */
async function fromLink() {
  await samplersKnown.catch(() => {});
  if (!field.sampler.length) return false; // the engine did not start, which main.js says
  const wanted = linked();
  if (!ofReverse(wanted)) {
    await chooseModel(field.model.value);
    return false;
  }
  const { refused, gone } = await fill(wanted);
  const form = linkedForm(), part = form && !('film' in form.dataset) ? form : null;
  if (form) form.closest('.part')?.scrollIntoView(); else if (!place()) $('reverse').scrollIntoView();
  const cost = evaluations(field.sampler.value, field.steps.valueAsNumber) * field.count.valueAsNumber;
  const draw = !part && !refused.length && !gone && chosen()?.from === 'site' && cost <= AT_ONCE && !saving() && !busy();
  if (gone) offerModel(wanted, take);
  if (!draw) say(`The settings are those of the link. ${gone ? 'Open its model for its picture.' : `${part ? press(part) : 'Press Generate'} for its picture.`}`);
  return draw;
}

/**
 * Puts these settings into the fields; whether all could be.
 * @param {Record<string, unknown>} options as in the address
 */
export async function take(options) {
  const { refused, gone } = await fill(new URLSearchParams(fragment(options).slice(1)));
  return !refused.length && !gone;
}

/** Makes the picture of these settings; whether it could. */
export const rerun = async (/** @type {Record<string, unknown>} */ options) => (await take(options)) && generate();
