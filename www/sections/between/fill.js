// A part of a picture filled in by the network so that it fits the rest (RePaint): once straight down, once going back up and down again.
import { pollen } from '../../api/pollen.js';
import { asNetwork, toBytes } from '../../files/picture.js';
import { calm, drawGrid, keepFitted, mix, reveal } from '../../ui/canvas.js';
import { $, fields } from '../../ui/dom.js';
import { counted, figure, seconds, whole } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { best, chosen, load } from '../models/shelf.js';
import { shared } from '../reverse/fields.js';
import { Mask } from './mask.js';
import { figureOf, row } from './row.js';
import { LONGEST, makers, takeLine } from './take.js';

/**
 * @import { ReverseStep } from '../../api/types.js'
 * @import { Taken } from './take.js'
 *
 * @typedef {{ square: HTMLCanvasElement, name: string, link: Record<string, string> | null }} Source a picture, and its settings in a link that can carry it
 */

const MOST = 6; // fillings
const field = fields('fill-form'), list = $('f-made', HTMLOListElement), live = $('f-live', MathMLElement);
const xt = $('f-xt', HTMLCanvasElement), x0 = $('f-x0', HTMLCanvasElement);
/** @type {Mask} */ let mask;
/** @type {() => Source} */ let source;

/** @param {() => Source} from */
export function startFill(from) {
  source = from;
  makers.filling = { form: 'fill-form', press: 'Fill it in', again: fill };
  mask = new Mask($('f-mask', HTMLCanvasElement), showPasses);
  for (const canvas of [xt, x0]) keepFitted(canvas);
  const lower = () => mask.set((_, y) => y > 0.5);
  $('f-lower').addEventListener('click', () => { lower(); noteMask(''); }); // as the page begins
  $('f-clear').addEventListener('click', () => { mask.set(() => false); noteMask(); });
  for (const name of ['pointerup', 'keyup']) $('f-mask').addEventListener(name, () => noteMask());
  field.mask.addEventListener('change', () => {
    const text = field.mask.value;
    if (text === '' || text === mask.text || mask.read(text)) return;
    field.mask.value = '';
    complain(`“${text.slice(0, 40)}” is no mask: a mask is the size of a square picture, then how many of its pixels are known, painted, known and so on. The one that stood there stays.`);
  });
  for (const name of ['input', 'change', 'restore']) {
    field.brush.addEventListener(name, (event) => { if (event instanceof CustomEvent) field.brush.value = event.detail; showBrush(); });
  }
  field.erase.addEventListener('change', () => { mask.erases = field.erase.checked; });
  for (const one of [field.steps, field.jump, field.times]) for (const name of ['input', 'change']) one.addEventListener(name, showPasses);
  for (const name of ['pointerup', 'keyup']) $('b-drawing').addEventListener(name, showFillSource);
  for (const id of ['r-class', 'r-guidance']) $(id).addEventListener('change', showPasses);
  $('fill-form').addEventListener('submit', (event) => { event.preventDefault(); fill(); });
  $('f-another').addEventListener('click', () => {
    field.fresh.value = String(field.fresh.valueAsNumber + 1);
    field.fresh.dispatchEvent(new Event('change', { bubbles: true })); // for the address
    fill();
  });
  lower();
  showBrush();
}

/** The mask goes into the address, where it is short enough for one. */
function noteMask(text = mask.text) {
  const carried = text.length > LONGEST ? '' : text;
  if (field.mask.value === carried) return;
  field.mask.value = carried;
  field.mask.dispatchEvent(new Event('change', { bubbles: true }));
}

function showBrush() {
  mask.radius = field.brush.valueAsNumber / 2;
  $('f-brush-out').textContent = field.brush.value;
}

/** The picture under the mask, at the size that the network takes as far as that is known; as another picture or model is chosen. */
export function showFillSource() {
  if (!mask) return;
  showPasses();
  const model = best(), size = model?.open?.width ?? model?.sheet?.size ?? 28, channels = model?.sheet?.channels ?? 1;
  mask.show(toBytes(asNetwork(source().square, { channels, height: size, width: size }), size, channels), size);
}

/** The class and its guidance; both networks of a model read it. */
function asked() {
  const { class: label, guidance = 1, negative } = shared();
  return { class: label, guidance, ...(negative === undefined ? {} : { negative }) };
}

/** Passes of the network without going back, and with. */
function passes() {
  const [steps, jump, times] = [field.steps, field.jump, field.times].map((one) => one.valueAsNumber);
  const back = Math.floor((steps - 1) / jump) * jump * (times - 1), { guidance } = asked(), each = guidance === 1 ? 1 : 2;
  return { once: steps * each, again: (steps + back) * each };
}

/** The network that fills in, and its passes. */
export function cost() {
  const { once, again } = passes();
  return { model: best()?.id, passes: once + again };
}

/** What pressing the button costs. */
function showPasses() {
  let text = '';
  try {
    const { once, again } = passes();
    if (again > 0) text = `${counted(once, 'pass', 'passes')} of the network straight down and ${whole(again)} with going back: ${whole(once + again)} in all.`;
  } catch { /* a field that is said to be wrong when it is used */ }
  $('f-passes').textContent = `${text} ${chosen()?.of ? 'Fast knows too few noise levels for this: Best fills in.' : ''}`.trim();
}

/** The last move with its numbers. @param {ReverseStep} step */
function showMove({ back, t, tNext, terms }) {
  const at = (/** @type {number} */ t) => `<msub><mi>x</mi><mn>${Math.round(t)}</mn></msub>`, [signal, noise] = [terms.alphaBarNext, 1 - terms.alphaBarNext].map((part) => figure(Math.sqrt(part)));
  live.innerHTML = back
    ? `${at(tNext)}<mo>=</mo><mn>${figure(terms.xt)}</mn><mspace width="0.2em"></mspace>${at(t)}<mo>+</mo><mn>${figure(terms.sigma)}</mn><mspace width="0.2em"></mspace><mi class="noise">z</mi>`
    : `${at(tNext)}<mo>=</mo><mi>m</mi><mo stretchy="false">(</mo><mn>${signal}</mn><mspace width="0.2em"></mspace><msub class="signal"><mi>x</mi><mn>0</mn></msub><mo>+</mo><mn>${noise}</mn><mspace width="0.2em"></mspace><mi class="noise">z</mi><mo stretchy="false">)</mo><mo>+</mo><mo stretchy="false">(</mo><mn>1</mn><mo>−</mo><mi>m</mi><mo stretchy="false">)</mo><msup>${at(tNext)}<mo>∗</mo></msup>`;
}

/**
 * A step on its way.
 * @param {ReverseStep} step
 * @param {string} way
 */
function draw(step, way) {
  const { t, tNext, terms, back, xt: pixels, x0: guess, width, height, step: done, steps } = step;
  if (calm.matches && done < steps) return;
  drawGrid(xt, pixels, { width, height });
  drawGrid(x0, guess, { width, height });
  mix($('f-xt-frame'), terms.alphaBarNext);
  const where = back ? `Back up from t = ${Math.round(t)} to ${Math.round(tNext)}` : tNext ? `Down to t = ${Math.round(tNext)}` : 'Finished';
  $('f-xt-caption').textContent = `${where}, ${way}.`;
  xt.setAttribute('aria-label', `${where}, ${way}`);
  for (const canvas of [xt, x0]) canvas.closest('figure')?.removeAttribute('hidden');
  $('f-maths').hidden = false;
  showMove(step);
}

/** Fills in what is set up. @returns {Promise<Taken | undefined>} unless it stopped */
export async function fill() {
  if (busy()) return undefined;
  let common, total, once, jump, resample;
  try {
    if (!mask.painted) throw new Error('Nothing is painted: the whole picture is known. Paint over the part that is to be filled in, with the pointer or with the arrows and the space bar.');
    common = { ...asked(), sampler: 'ddpm', steps: number(field.steps), seed: number(field.fresh) };
    [jump, resample] = [number(field.jump), number(field.times)];
    ({ once, again: total } = passes());
    total += once;
  } catch (error) { complain(error); return undefined; }
  const { square, name, link } = source(), entry = best(), text = mask.text, { seed } = common, began = performance.now(), each = once / common.steps;
  /** @type {ReturnType<typeof row>} */ const pictures = [];
  let done = 0;
  const item = document.createElement('li'), ending = (/** @type {string} */ text) => `Seed ${seed}, from the left: the picture with its hole${text}.`;
  const shown = () => {
    item.replaceChildren(figureOf(pictures, ending(['', ', filled in straight down', ', filled in straight down, filled in with going back'][pictures.length - 1])));
    if (!item.isConnected) list.prepend(item);
    list.hidden = false;
    while (list.childElementCount > MOST) list.lastElementChild?.remove();
  };
  const result = await run(async (report) => {
    const model = await load(report, entry), image = asNetwork(square, model), { channels, width, height, variance } = model;
    const given = toBytes(image, width, channels);
    mask.show(given, width);
    const known = mask.known, grid = { count: 1, width, height };
    pictures.push(...row(mask.holed(), grid, () => `What is known of ${name}`));
    /** @type {Uint8ClampedArray} */ let rgba = given;
    for (const way of ['straight down', 'with going back']) {
      ({ rgba } = await pollen.generate({
        ...common, ...(variance?.startsWith('learned') ? {} : { variance: 'fixed_small' }), image, mask: known, jump, resample: way === 'straight down' ? 1 : resample,
        onStep: (step) => {
          if (!step.back) done += each;
          draw(step, way);
          if (done === each) reveal($('f-xt-frame'));
          report(done, total, `Filling in ${name}, ${way}, on ${adapterName()}.`, `${step.back ? 'going back, ' : ''}pass ${whole(done)} of ${whole(total)}`);
        },
      }));
      pictures.push(...row(rgba, grid, () => `Filled in ${way}, seed ${seed}`));
      shown();
      $('f-another').hidden = false;
    }
    const { sampler: _, steps, seed: fresh, ...of } = common, fields = { steps, jump, times: resample, fresh, mask: text };
    const settings = { model: entry?.id, ...of, ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`fill.${name}`, value])) };
    const parts = ['filling', entry?.id, of.class === null ? '' : `class${of.class}`, `seed${seed}`];
    return { chain: 'filling', what: `the filling of seed ${seed}`, parts, cells: [rgba], columns: 1, width, height, settings, given: { rgba: given, size: width, name, link }, entry, files: pollen.files };
  });
  if (!result) return undefined;
  timed(`pass ${result.entry?.id}`, total, performance.now() - began);
  item.append(takeLine(result));
  say(`Done: ${name} filled in twice from seed ${seed}, straight down and with going back, in ${counted(total, 'pass', 'passes')} of ${result.entry?.title ?? 'the network'} in ${seconds(performance.now() - began)} on ${adapterName()}.`);
  return result;
}
