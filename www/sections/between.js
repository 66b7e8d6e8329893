// Between the chains: a picture that is noised to some t and finished, other futures of a run, the way from one noise to another.
import { pollen } from '../api/pollen.js';
import { asNetwork, toBytes } from '../files/picture.js';
import { drawGrid, keepFitted, mix, pacing } from '../ui/canvas.js';
import { breathe } from '../ui/breathe.js';
import { $, fields } from '../ui/dom.js';
import { live, sub, sum } from '../ui/live.js';
import { counted, seconds } from '../ui/numbers.js';
import { adapterName, busy, complain, run, say } from '../ui/runs.js';
import { defaultsOf, firstSampler, SAMPLERS } from '../ui/samplers.js';
import { carry, LONGEST } from './carried.js';
import { Drawing } from './between/drawing.js';
import { startExamples } from './between/examples.js';
import { showFillSource, startFill } from './between/fill.js';
import { startGrid } from './between/grid.js';
import { startGuidance } from './between/guidance.js';
import { startInversion } from './between/inversion.js';
import { startSquare } from './between/square.js';
import { cells } from './between/row.js';
import { makers, takeLine } from './between/take.js';
import { startWalk } from './between/walk.js';
import { picture } from './forward/picture.js';
import { best, chosen, load } from './models/shelf.js';
import { forEngine, read } from './reverse/fields.js';

/** @import { Source } from './between/fill.js' */

const field = fields('between-form'), strength = $('b-strength', HTMLInputElement);
const drawn = $('b-drawing', HTMLCanvasElement), start = $('b-start', HTMLCanvasElement), made = $('b-made', HTMLCanvasElement);
/** @type {Drawing} */ let drawing;
const put = carry('between.strokes', (text) => drawing.read(text)), note = () => put(drawing.text);

export async function startBetween() {
  drawing = new Drawing(drawn, () => { field.from.value = 'drawing'; showSource(); });
  for (const name of ['pointerup', 'keyup']) drawn.addEventListener(name, note);
  for (const canvas of [start, made]) keepFitted(canvas);
  for (const name of ['input', 'change']) field.ink.addEventListener(name, () => { drawing.ink = field.ink.value; }); // by hand, by a link
  field.from.addEventListener('change', showSource);
  for (const event of ['picture', 'model']) document.addEventListener(event, showSource);
  strength.addEventListener('input', showStrength);
  strength.addEventListener('restore', (event) => { strength.value = /** @type {CustomEvent<string>} */ (event).detail; showStrength(); });
  $('b-clear').addEventListener('click', () => { drawing.clear(); note(); });
  $('between-form').addEventListener('submit', (event) => { event.preventDefault(); finish(); });
  $('branch-form').addEventListener('submit', (event) => { event.preventDefault(); import('./between/branches.js').then(({ branchFilm }) => branchFilm(), complain); });
  makers.finished = { form: 'between-form', press: 'Finish it', again: finish };
  makers.branch = { form: 'branch-form', press: 'Branch from the film’s frame', again: async () => (await import('./between/branches.js')).branchFilm(), film: true };
  await breathe();
  startFill(source);
  await breathe();
  startInversion(source);
  startWalk();
  startSquare();
  startGrid();
  startGuidance();
  startExamples();
  await breathe();
  showSource();
  showStrength();
}

/** What the chain starts from, under its picture; the picture of the forward chain takes the drawing's place. */
function showSource() {
  const own = field.from.value === 'drawing';
  drawing.show(own ? null : picture().square);
  $('b-source').textContent = own ? (drawing.example ? 'An example. Draw a digit or a stroke here: the first one wipes it away.' : `Your drawing${carried() ? '' : ', which is too long for a link'}`) : `The forward chain’s picture: ${picture().title}`;
  $('b-clear', HTMLButtonElement).disabled = !own || drawing.example;
  $('b-by').hidden = best() === chosen();
  showFillSource();
}

const carried = () => drawing.text.length <= LONGEST;

function showStrength() {
  $('b-strength-out').textContent = `${strength.value} %`;
}

/** The picture that is chosen, what sentences call it, and the settings of a link to it, unless no link can carry it. @returns {Source} */
function source() {
  if (field.from.value === 'drawing') return { square: drawing.square(), name: drawing.example ? 'the example' : 'your drawing', link: drawing.example ? {} : carried() ? { 'between.strokes': drawing.text } : null };
  const { square, title, shared } = picture();
  return { square, name: title, link: shared ? { 'between.from': 'picture' } : null };
}

/** What a run is asked for, of that model; where it is not the chosen one, by the sampler and in the steps with which it begins. */
function asked() {
  const options = read(), by = best();
  if (!by || by === chosen()) return options;
  const sampler = firstSampler(by), { steps, eta, clip, guidance } = defaultsOf(by, sampler), takes = SAMPLERS[sampler].options;
  const { eta: _, variance, clip: own, ...rest } = options;
  return { ...rest, model: by.id, sampler, steps, ...(rest.guidance === undefined ? {} : { guidance }), ...(takes.includes('eta') ? { eta } : {}), ...(takes.includes('clip') ? { clip } : {}) };
}

/** Noises the picture as far as is asked and runs the rest of the chain. @returns {Promise<import('./between/take.js').Taken | undefined>} unless it stopped */
async function finish() {
  if (busy()) return undefined;
  /** @type {ReturnType<typeof asked>} */ let options;
  try { options = asked(); } catch (error) { complain(error); return undefined; }
  const { model, sampler, steps, count, seed } = options, { title } = SAMPLERS[sampler];
  const taken = Math.max(1, Math.round((steps * strength.valueAsNumber) / 100)), { square, name, link } = source();
  const drawNow = pacing();
  let from = 0, began = performance.now();
  const network = best(), result = await run(async (report) => {
    const loaded = await load(report, network), image = asNetwork(square, loaded), { channels } = loaded;
    began = performance.now();
    const result = await pollen.generate({
      ...forEngine(options), image, skip: steps - taken, ...{ width: undefined, height: undefined },
      onStep: async ({ step, steps: all, t, tNext, terms, xt, width, height }) => {
        const grid = { count, width, height, gap: 1 };
        if (step === 1) {
          from = Math.round(t);
          const images = new Float32Array(count * image.length);
          for (let i = 0; i < count; i++) images.set(image, i * image.length);
          drawGrid(start, (await pollen.jump({ image: images, shape: [count, channels, height, width], seed, alphaBar: terms.alphaBar })).rgba, grid);
          mix($('b-start-frame'), terms.alphaBar);
          $('b-maths').hidden = false;
          live('b-live', `${sub('x', from)}<mo>=</mo>${sum([[Math.sqrt(terms.alphaBar), sub('x', 0, 'signal')], [Math.sqrt(1 - terms.alphaBar), '<mi class="noise">ε</mi>']])}`);
          told('b-start-caption', start, `${name} at t = ${from}, where the chain starts`);
        }
        report(step, all, `Finishing ${name}, on ${adapterName()}.`, `step ${step} of ${all}`);
        if (!drawNow(step === all)) return;
        drawGrid(made, xt, grid);
        mix($('b-made-frame'), terms.alphaBarNext);
        told('b-made-caption', made, `${step === all ? 'Finished' : `t = ${Math.round(tNext)}`}, after step ${step} of ${all}`);
      },
    });
    return { ...result, given: { rgba: toBytes(image, loaded.width, channels), size: loaded.width, name, link } };
  });
  if (!result) return undefined;
  say(`Done: ${counted(count, 'picture')} from ${name}, noised to t = ${from} and led back in ${counted(result.steps, 'step')} of ${title} by ${network?.title} in ${seconds(performance.now() - began)} on ${adapterName()}.`);
  const { rgba, shape: [, , height, width], given } = result;
  /** @type {import('./between/take.js').Taken} */
  const file = {
    chain: 'finished', what: `${name}, finished`, parts: ['finished', model, `t${from}`, `seed${seed}`], cells: cells(rgba, { count, width, height }), columns: Math.ceil(Math.sqrt(count)), width, height,
    settings: { ...options, 'between.strength': strength.value }, given, entry: network, files: pollen.files,
  };
  $('b-made-take').replaceChildren(takeLine(file));
  return file;
}

/**
 * A caption, which is the canvas's name as well.
 * @param {string} id
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 */
function told(id, canvas, text) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  $(id).textContent = `${sentence}.`;
  canvas.setAttribute('aria-label', sentence);
  canvas.closest('figure')?.removeAttribute('hidden');
}
