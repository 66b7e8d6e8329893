// Among four noises, of seeds or of pictures: a square with what becomes of them in its corners, and the picture of the point that is moved in it,
// made as it moves.
import { pollen } from '../../api/pollen.js';
import { $, fields, named, touch } from '../../ui/dom.js';
import { percent, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, run, say } from '../../ui/runs.js';
import { slerp } from '../../ui/slerp.js';
import { chosen, load } from '../models/shelf.js';
import { forEngine, read } from '../reverse/fields.js';
import { foundFor } from './inversion.js';
import { asItComes, cells, row } from './row.js';
import { makers, takeLine } from './take.js';

/**
 * @import { Taken } from './take.js'
 *
 * @typedef {object} Made
 * @property {Float32Array[]} corners noises: above left and right, below left and right
 * @property {object} options of a picture
 * @property {Omit<Taken, 'cells' | 'settings'> & { settings: Record<string, unknown>, pictures: Uint8ClampedArray[] }} taken all but the picture of the point
 * @property {import('../../api/types.js').Model | null} by the network
 */

const CORNERS = 4;
const field = fields('square-form'), square = $('b-square'), dot = $('b-point');
/** @type {Made | null} */ let made = null;
let asking = false;

export function startSquare() {
  makers.square = { form: 'square-form', press: 'Show the four corners', again: begin };
  $('square-form').addEventListener('submit', (event) => { event.preventDefault(); begin(); });
  for (const slider of [field.across, field.down]) {
    slider.addEventListener('input', show);
    slider.addEventListener('restore', (event) => { slider.value = /** @type {CustomEvent<string>} */ (event).detail; show(); });
  }
  square.addEventListener('pointerdown', (event) => { square.setPointerCapture(event.pointerId); follow(event); });
  square.addEventListener('pointermove', (event) => { if (square.hasPointerCapture(event.pointerId)) follow(event); });
  square.addEventListener('pointerup', () => touch(field.across)); // for the address
  place();
}

/** @param {PointerEvent} event */
function follow({ clientX, clientY }) {
  const { left, top, width, height } = square.getBoundingClientRect();
  field.across.value = String(Math.round((100 * (clientX - left)) / width));
  field.down.value = String(Math.round((100 * (clientY - top)) / height));
  show();
}

/** Puts the point where the sliders say; what a sentence calls it. */
function place() {
  const [across, down] = [field.across, field.down].map((slider) => slider.valueAsNumber / 100);
  dot.style.left = percent(across).replace(' ', '');
  dot.style.top = percent(down).replace(' ', '');
  $('b-across-out').textContent = percent(across);
  $('b-down-out').textContent = percent(down);
  return { across, down };
}

/**
 * The noises in the corners: those of the seed above and the next ones, or first of all those that were found of pictures.
 * @param {Parameters<typeof foundFor>[0]} model
 * @param {{ seed: number, of: string, shape: number[] }} wanted
 */
async function cornersOf(model, { seed, of, shape }) {
  const found = of === 'pictures' ? foundFor(model).slice(0, CORNERS).reverse() : [];
  if (of === 'pictures' && !found.length) throw new Error('No noise of a picture is found for this model. Choose a picture under “A picture’s own noise” and press “Find its noise and come back”; up to four pictures become corners.');
  const seeds = Array.from({ length: CORNERS - found.length }, (_, i) => seed + i);
  const drawn = await Promise.all(seeds.map((seed) => pollen.randn({ seed, shape: found[0]?.shape ?? shape })));
  return { found, names: [...found.map(({ name }) => `the noise of ${name}`), ...seeds.map((seed) => `seed ${seed}`)], corners: [...found.map(({ noise }) => noise), ...drawn] };
}

/** The corners, and the picture of the point. @returns {Promise<Taken | undefined>} unless it stopped */
async function begin() {
  if (busy()) return undefined;
  /** @type {ReturnType<typeof read>} */ let options;
  try { options = read(); } catch (error) { complain(error); return undefined; }
  const began = performance.now(), { width, height, ...asked } = forEngine(options), of = field.corners.value;
  /** @type {string[]} */ let names = [];
  const draw = (/** @type {Uint8ClampedArray} */ rgba, /** @type {{ width: number, height: number }} */ { width, height }, after = '') => {
    square.replaceChildren(...row(rgba, { count: CORNERS, width, height }, (i) => `Corner ${i + 1}: ${names[i]}${after}`), dot);
    square.parentElement?.removeAttribute('hidden');
  };
  const live = asItComes((step, after) => draw(step.xt, step, after));
  const result = await run(async (report) => {
    const model = await load(report), shape = [1, model.channels, height ?? model.height, width ?? model.width];
    const { corners, found, ...made } = await cornersOf(model, { seed: options.seed, of, shape }), noise = new Float32Array(CORNERS * corners[0].length);
    names = made.names;
    corners.forEach((corner, i) => noise.set(corner, i * corner.length));
    const road = found[0]?.road ?? { ...asked, ...(width ? { width, height } : {}) };
    const { rgba, shape: [, , h, w] } = await pollen.generate({ ...road, count: CORNERS, noise, onStep(step) { report(step.step, step.steps, `The four corners, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`); live.take(step); } });
    const grid = { count: CORNERS, width: w, height: h };
    const taken = {
      chain: 'square', what: 'the square of four', parts: ['square', options.model, of === 'seeds' ? `seed${options.seed}` : of], columns: 3, width: w, height: h, pictures: cells(rgba, grid),
      settings: { ...options, 'square.corners': of }, ...(found.length ? { found: found.map(({ given }) => given) } : {}), entry: chosen(), files: pollen.files,
    };
    return { made: { corners, options: road, taken, by: pollen.model }, rgba, grid };
  });
  if (!result) { live.keep(); return undefined; }
  made = result.made;
  draw(result.rgba, result.grid);
  const taken = await show();
  const which = result.made.taken.found ? names.join(', ') : `the seeds ${options.seed} to ${options.seed + CORNERS - 1}`;
  say(`Done: the pictures of ${which} in ${seconds(performance.now() - began)} on ${adapterName()}. Move the point between them.`);
  return taken;
}

/** The picture of the point, and again until it is that of where the point has got to. @returns {Promise<Taken | undefined>} what there is to save then */
async function show() {
  place();
  if (!made || asking || busy()) return undefined;
  if (made.by !== pollen.model) {
    made = null;
    complain('The corners are another model’s. Press “Show the four corners” again.');
    return undefined;
  }
  asking = true;
  /** @type {Taken | undefined} */ let all;
  try {
    for (let done = ''; made && done !== JSON.stringify(place());) {
      const { corners: [a, b, c, d], options, taken: { pictures, ...taken } } = made, { across, down } = place();
      done = JSON.stringify({ across, down });
      import('./slerp-live.js').then(({ inSquare }) => inSquare([a, b, c, d], { across, down }), complain);
      const { rgba, shape: [, , height, width] } = await pollen.generate({ ...options, count: 1, noise: slerp(slerp(a, b, across), slerp(c, d, across), down) });
      const [picture] = row(rgba, { count: 1, width, height }, () => `The picture at ${percent(across)} across and ${percent(down)} down`);
      picture.className = 'middle';
      square.querySelector('.middle')?.remove();
      square.insertBefore(picture, dot);
      all = { ...taken, cells: [pictures[0], null, pictures[1], null, new Uint8ClampedArray(rgba), null, pictures[2], null, pictures[3]], settings: { ...taken.settings, 'square.across': 100 * across, 'square.down': 100 * down } };
      $('b-square-take').replaceChildren(takeLine(all));
    }
  } catch (error) {
    if (named(error).name !== 'AbortError') complain(error);
  } finally {
    asking = false;
  }
  return all;
}
