// Among the noises of four seeds: a square with their pictures in its corners, and the picture of the point that is moved in it,
// made as it moves.
import { pollen } from '../../api/pollen.js';
import { $, fields, named } from '../../ui/dom.js';
import { percent, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, run, say } from '../../ui/runs.js';
import { slerp } from '../../ui/slerp.js';
import { load } from '../models/shelf.js';
import { forEngine, read } from '../reverse/fields.js';
import { asItComes, row } from './row.js';

/**
 * @typedef {object} Made
 * @property {Float32Array[]} corners noises: above left and right, below left and right
 * @property {object} options of a picture
 * @property {number[]} seeds
 * @property {import('../../api/types.js').Model | null} by the network
 */

const field = fields('square-form'), square = $('b-square'), dot = $('b-point');
/** @type {Made | null} */ let made = null;
let asking = false;

export function startSquare() {
  $('square-form').addEventListener('submit', (event) => { event.preventDefault(); begin(); });
  for (const slider of [field.across, field.down]) {
    slider.addEventListener('input', show);
    slider.addEventListener('restore', (event) => { slider.value = /** @type {CustomEvent<string>} */ (event).detail; show(); });
  }
  square.addEventListener('pointerdown', (event) => { square.setPointerCapture(event.pointerId); follow(event); });
  square.addEventListener('pointermove', (event) => { if (square.hasPointerCapture(event.pointerId)) follow(event); });
  place();
}

/** @param {PointerEvent} event */
function follow({ clientX, clientY }) {
  const { left, top, width, height } = square.getBoundingClientRect();
  field.across.value = String(Math.round((100 * (clientX - left)) / width));
  field.down.value = String(Math.round((100 * (clientY - top)) / height));
  field.across.dispatchEvent(new Event('change', { bubbles: true })); // for the address
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

/** The corners. */
async function begin() {
  if (busy()) return;
  /** @type {ReturnType<typeof read>} */ let options;
  try { options = read(); } catch (error) { complain(error); return; }
  const began = performance.now(), seeds = [0, 1, 2, 3].map((i) => options.seed + i), { width, height, ...asked } = forEngine(options);
  const draw = (/** @type {Uint8ClampedArray} */ rgba, /** @type {{ width: number, height: number }} */ { width, height }, after = '') => {
    square.replaceChildren(...row(rgba, { count: 4, width, height }, (i) => `Corner ${i + 1}: seed ${seeds[i]}${after}`), dot);
    square.parentElement?.removeAttribute('hidden');
  };
  const live = asItComes((step, after) => draw(step.xt, step, after));
  const result = await run(async (report) => {
    const { channels, height: h, width: w } = await load(report), shape = [1, channels, height ?? h, width ?? w];
    const corners = await Promise.all(seeds.map((seed) => pollen.randn({ seed, shape }))), noise = new Float32Array(4 * corners[0].length);
    corners.forEach((corner, i) => noise.set(corner, i * corner.length));
    const of = { ...asked, ...(width ? { width, height } : {}) };
    made = { corners, seeds, options: of, by: pollen.model };
    return pollen.generate({ ...of, count: 4, noise, onStep(step) { report(step.step, step.steps, `The four corners, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`); live.take(step); } });
  });
  if (!result) { live.keep(); return; }
  draw(result.rgba, { width: result.shape[3], height: result.shape[2] });
  await show();
  say(`Done: the pictures of the seeds ${seeds[0]} to ${seeds[3]} in ${seconds(performance.now() - began)} on ${adapterName()}. Move the point between them.`);
}

/** The picture of the point, and again until it is that of where the point has got to. */
async function show() {
  place();
  if (!made || asking || busy()) return;
  if (made.by !== pollen.model) {
    made = null;
    complain('The corners are another model’s. Press “Show the four corners” again.');
    return;
  }
  asking = true;
  try {
    for (let done = ''; made && done !== JSON.stringify(place());) {
      const { corners: [a, b, c, d], options } = made, { across, down } = place();
      done = JSON.stringify({ across, down });
      import('./slerp-live.js').then(({ inSquare }) => inSquare([a, b, c, d], { across, down }), complain);
      const { rgba, shape: [, , height, width] } = await pollen.generate({ ...options, count: 1, noise: slerp(slerp(a, b, across), slerp(c, d, across), down) });
      const [picture] = row(rgba, { count: 1, width, height }, () => `The picture at ${percent(across)} across and ${percent(down)} down`);
      picture.className = 'middle';
      square.querySelector('.middle')?.remove();
      square.insertBefore(picture, dot);
    }
  } catch (error) {
    if (named(error).name !== 'AbortError') complain(error);
  } finally {
    asking = false;
  }
}
