// Guidance as arrows: from the x_t of a frame of the film to what the network predicts for any class, or for the one to lead away
// from, and for the one that is asked for, in the plane of those three pictures, and on beyond as far as W goes.
import { pollen } from '../../api/pollen.js';
import { $, named, values } from '../../ui/dom.js';
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { figure } from '../../ui/numbers.js';
import { adapterName, busy, complain, run, say } from '../../ui/runs.js';
import { svg } from '../../ui/svg.js';
import { liveGuidance, predictions } from './guidance-live.js';
import { commonOf, shownFrame, stateOf } from './frame.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {object} Made
 * @property {{ any: Point, asked: Point }} ends of the arrows from x_t, which is at 0, 0
 * @property {(guidance: number) => Promise<{ x0: Uint8ClampedArray, width: number, height: number }>} predict x̂_0 with guidance W
 * @property {import('../../api/types.js').Model | null} by the network
 * @property {Float32Array[]} eps the noise as it is predicted for the one and the other
 * @property {string} name of the class
 * @property {string} other “any”, or the class to lead away from
 * @property {number} t
 */

const WIDTH = 420, HEIGHT = 260, EDGE = 34; // units of the drawing
const slider = $('b-w', HTMLInputElement), plot = $('b-arrows'), canvas = $('b-guided', HTMLCanvasElement);
/** @type {Made | null} */ let made = null;
let asking = false;

export function startGuidance() {
  keepFitted(canvas);
  $('arrows-form').addEventListener('submit', (event) => { event.preventDefault(); measure(); });
  slider.addEventListener('input', show);
  slider.addEventListener('restore', (event) => { slider.value = /** @type {CustomEvent<string>} */ (event).detail; show(); });
  show();
}

function wanted() {
  const from = shownFrame();
  if (!from.rest.length) throw new Error('After the last frame of the film nothing is predicted any more. Go back in the film.');
  if (from.options.class === null || from.options.guidance === undefined) throw new Error('Guidance leads from any class to one: choose a class and generate, with a model that has a label for “any”.');
  return from;
}

async function measure() {
  if (busy()) return;
  /** @type {ReturnType<typeof wanted>} */ let from;
  try { from = wanted(); } catch (error) { complain(error); return; }
  const { rest: [timestep], model, options } = from, t = timestep + 1, classes = model.labels?.classes, nameOf = (/** @type {number} */ label) => classes?.[label] ?? String(label);
  const name = nameOf(options.class), other = options.negative === undefined ? 'any' : nameOf(options.negative);
  const done = await run(async (report) => {
    const x = await stateOf(from, report), { any } = /** @type {import('../../api/types.js').Model} */ (pollen.model);
    report(0, 0, `Predicting for ${other === 'any' ? 'any class' : other} and for ${name} at t = ${t}, on ${adapterName()}.`);
    const predict = async (/** @type {number} */ guidance) => {
      /** @type {import('../../api/types.js').ReverseStep | undefined} */ let step;
      await pollen.generate({ ...commonOf(from), guidance, sampler: 'ddpm', timesteps: [timestep], noise: x, count: 1, until: 1, onStep: (one) => { step = one; } });
      if (!step) throw new Error('The network predicted nothing.');
      return step;
    };
    const { terms: { alphaBar } } = await predict(1), { eps, x0 } = await predictions(x, from.numbers, { timestep, alphaBar, labels: [options.negative ?? any ?? 0, options.class] });
    const ends = x0.map((of) => of.map((value, i) => value - x[i]));
    made = { ends: flat(ends[0], ends[1]), eps, predict, by: pollen.model, name, other, t };
    return true;
  });
  if (!done || !made) return;
  $('b-guidance').hidden = false;
  show();
  const { any, asked } = made.ends, apart = Math.hypot(asked[0] - any[0], asked[1] - any[1]);
  for (const node of values('b-guidance')) node.textContent = { any: figure(Math.hypot(...any)), asked: figure(Math.hypot(...asked)), apart: figure(apart) }[node.dataset.v ?? ''] ?? '';
  say(`Done: what the network predicts at t = ${t} for ${other === 'any' ? 'any class' : other} and for ${name}. Move W to see where guidance leads.`);
}

/**
 * Two arrows in the plane that they span, the first to the right.
 * @param {Float32Array} any
 * @param {Float32Array} asked
 */
function flat(any, asked) {
  const dot = (/** @type {Float32Array} */ p, /** @type {Float32Array} */ q) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  const length = Math.sqrt(dot(any, any)) || 1, along = dot(any, asked) / length;
  return { any: /** @type {Point} */ ([length, 0]), asked: /** @type {Point} */ ([along, Math.sqrt(Math.max(0, dot(asked, asked) - along * along))]) };
}

/** The arrows for the W of the slider, and after them the picture. */
function show() {
  const w = slider.valueAsNumber;
  $('b-w-out').textContent = String(w);
  if (!made) return;
  liveGuidance(made, w);
  const { ends: { any, asked }, name, other, t } = made, at = (/** @type {number} */ w) => /** @type {Point} */ ([any[0] + w * (asked[0] - any[0]), w * asked[1]]);
  const all = [/** @type {Point} */ ([0, 0]), any, at(Number(slider.max))], xs = all.map(([x]) => x), ys = all.map(([, y]) => y);
  const left = Math.min(...xs), scale = Math.min((WIDTH - 2 * EDGE) / (Math.max(...xs) - left || 1), (HEIGHT - 2 * EDGE) / (Math.max(...ys) || 1));
  const put = (/** @type {Point} */ [x, y]) => ({ x: EDGE + (x - left) * scale, y: HEIGHT - EDGE - y * scale });
  const zero = put([0, 0]);
  const arrow = (/** @type {Point} */ point, /** @type {string} */ look) => {
    const end = put(point), angle = Math.atan2(end.y - zero.y, end.x - zero.x);
    const barb = [-1, 1].map((side) => `${end.x - 9 * Math.cos(angle + 0.4 * side)} ${end.y - 9 * Math.sin(angle + 0.4 * side)}`);
    return svg('path', { class: look, d: `M${zero.x} ${zero.y}L${end.x} ${end.y}M${barb[0]}L${end.x} ${end.y}L${barb[1]}` });
  };
  const word = (/** @type {Point} */ point, /** @type {string} */ text, /** @type {number} */ below) => svg('text', { x: put(point).x, y: put(point).y + below, class: 'centre' }, text);
  const line = [put(at(0)), put(at(Number(slider.max)))], drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' });
  drawing.append(svg('line', { class: 'grid', x1: line[0].x, y1: line[0].y, x2: line[1].x, y2: line[1].y }),
    arrow(any, 'thin'), arrow(asked, 'signal'), arrow(at(w), 'bold'), word([0, 0], 'xₜ', 18), word(any, other, 18), word(asked, name, -8), word(at(w), `W = ${w}`, -20));
  plot.replaceChildren(drawing);
  plot.setAttribute('aria-label', `Arrows from x t at t = ${t}: to the prediction for ${other === 'any' ? 'any class' : other}, to that for ${name}, and to that with guidance ${w}`);
  predicted();
}

/** The prediction with the slider's guidance, one at a time. */
async function predicted() {
  if (asking || busy() || !made || pollen.model !== made.by) return;
  asking = true;
  const mine = made, w = slider.valueAsNumber;
  try {
    const { x0, width, height } = await mine.predict(w);
    drawGrid(canvas, x0, { width, height });
    const text = `x̂₀ at t = ${mine.t} with guidance ${w} towards ${mine.name}${mine.other === 'any' ? '' : `, away from ${mine.other}`}`;
    canvas.setAttribute('aria-label', text);
    $('b-guided-caption').textContent = `${text}.`;
  } catch (error) {
    if (named(error).name !== 'AbortError') complain(error);
  }
  asking = false;
  if (made === mine && slider.valueAsNumber !== w) predicted();
}
