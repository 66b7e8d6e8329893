// A plane where all is visible: points as pictures of two values, the forward chain as a cloud, and the paths on which solvers
// lead noise back to them, with the ideal denoiser in the network's place.
import { pollen } from '../api/pollen.js';
import { $, fields, values } from '../ui/dom.js';
import { reveal } from '../ui/canvas.js';
import { counted, figure } from '../ui/numbers.js';
import { timed } from '../ui/pace.js';
import { busy, complain, number, run, say } from '../ui/runs.js';
import { evaluations, samplersKnown, SAMPLERS } from '../ui/samplers.js';
import { drawPlane, placeOf } from './plane/drawing.js';
import { PRESETS } from './plane/presets.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {{ paths: Point[][], reference: Point[][] }} Made paths by sample, each from the noise on
 */

const SOLVERS = ['ddim', 'ddpm', 'dpmpp-2m', 'unipc']; // those whose state is x_t itself
const MOST = 400; // points
const FINE = 200; // steps of DDIM that stand for the exact path
const CLOUD = 600; // points of the cloud at least

const field = fields('plane-form'), canvas = $('plane-canvas', HTMLCanvasElement), slider = $('plane-t', HTMLInputElement);
/** @type {Point[]} */ let points = [];
/** @type {Point[]} */ let cloud = [];
/** @type {Made | null} */ let made = null;
/** @type {import('../api/types.js').Schedule | null} */ let schedule = null;
let asked = 0, box = { width: 0, height: 0 }; // the canvas has no size before its section appears

export function startPlane() {
  $('plane-form').addEventListener('submit', (event) => { event.preventDefault(); walk(); });
  field.data.addEventListener('change', choose);
  slider.addEventListener('input', showCloud);
  slider.addEventListener('restore', (event) => { slider.value = /** @type {CustomEvent<string>} */ (event).detail; showCloud(); });
  field.seed.addEventListener('change', showCloud);
  samplersKnown.then(() => field.sampler.replaceChildren(...SOLVERS.map((name) => new Option(SAMPLERS[name].title, name))), () => {});
  const add = (/** @type {PointerEvent} */ event) => { if (event.buttons) own([...points, placeOf(canvas, event)]); };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (field.data.value !== 'own') points = [];
    add(event);
  });
  canvas.addEventListener('pointermove', (event) => { if (canvas.hasPointerCapture(event.pointerId)) add(event); });
  $('plane-add').addEventListener('click', () => {
    try { own([...(field.data.value === 'own' ? points : []), [number(field.x), number(field.y)]]); } catch (error) { complain(error); }
  });
  new ResizeObserver(([{ borderBoxSize: [{ inlineSize, blockSize }] }]) => {
    box = { width: inlineSize, height: blockSize };
    draw();
  }).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  pollen.ready.then(async () => {
    schedule = await pollen.schedule();
    choose();
  }).catch(() => {}); // main.js says why the engine did not start
}

function choose() {
  const preset = PRESETS[field.data.value];
  if (preset) points = preset();
  changed();
}

/**
 * The visitor's own points.
 * @param {Point[]} all
 */
function own(all) {
  const inside = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));
  points = all.slice(-MOST).map(([x, y]) => [inside(x), inside(y)]);
  field.data.value = 'own';
  changed();
}

function changed() {
  made = null;
  $('plane-values').hidden = true;
  showCloud();
}

const flat = (/** @type {Point[]} */ all) => Float32Array.from(all.flat());
const pairs = (/** @type {ArrayLike<number>} */ all) => Array.from({ length: all.length / 2 }, (_, i) => /** @type {Point} */ ([all[2 * i], all[2 * i + 1]]));

/** x_t of every point, several times each. */
async function showCloud() {
  const t = slider.valueAsNumber, mine = ++asked;
  $('plane-t-out').textContent = String(t);
  slider.setAttribute('aria-valuetext', `t = ${t} of 1000`);
  if (!schedule) return;
  if (t && points.length && field.seed.checkValidity()) {
    const all = Array(Math.ceil(CLOUD / points.length)).fill(points).flat();
    const { sample } = await pollen.jump({ image: flat(all), shape: [all.length, 1, 1, 2], seed: field.seed.valueAsNumber, alphaBar: schedule.alphaBar[t] });
    if (mine !== asked) return;
    cloud = pairs(sample);
  } else cloud = [];
  draw();
}

function draw() {
  drawPlane(canvas, box, { points, cloud, paths: made?.paths ?? [], reference: made?.reference ?? [] });
  const t = slider.valueAsNumber;
  canvas.setAttribute('aria-label', `A plane with ${counted(points.length, 'point')}${t ? `, the cloud at t = ${t}` : ''}${made ? ` and ${counted(made.paths.length, 'path')} from noise` : ''}`);
}

/**
 * The states of a chain, by sample.
 * @param {{ sampler: string, steps: number, seed: number, count: number }} options
 * @param {(done: number, total: number) => void} report
 */
async function pathsOf(options, report) {
  const noise = pairs(await pollen.randn({ seed: options.seed, shape: [options.count, 1, 1, 2] })), paths = noise.map((at) => [at]);
  await pollen.sampleIdealDenoiser({
    ...options, images: flat(points), shape: [points.length, 1, 1, 2], tensor: true,
    onStep: ({ step, steps, sample }) => {
      for (const [i, at] of pairs(sample ?? []).entries()) paths[i].push(at);
      report(step, steps);
    },
  });
  return paths;
}

/** Distances from a point that walking as it is set up computes. */
export const work = () => (!SAMPLERS[field.sampler.value] ? NaN : field.count.valueAsNumber * points.length * (evaluations(field.sampler.value, field.steps.valueAsNumber) + (field.sampler.value === 'ddpm' ? 0 : FINE)));

async function walk() {
  if (busy()) return undefined;
  let /** @type {Parameters<typeof pathsOf>[0]} */ options;
  try { options = { sampler: field.sampler.value, steps: number(field.steps), seed: number(field.seed), count: number(field.count) }; } catch (error) { return complain(error); }
  if (!points.length) return complain('There are no points in the plane. Choose a shape, or click in the plane to put some there.');
  reveal(canvas);
  const { title } = SAMPLERS[options.sampler], random = options.sampler === 'ddpm';
  const asked = work(), began = performance.now(), done = await run(async (report) => {
    const paths = await pathsOf(options, (step, steps) => report(step, steps, `Walking back by ${title}.`, `step ${step} of ${steps}`));
    const reference = random ? [] : await pathsOf({ ...options, sampler: 'ddim', steps: FINE }, (step, steps) => report(step, steps, 'Walking the exact paths.', `step ${step} of ${steps}`));
    made = { paths, reference };
    return made;
  });
  if (!done) return undefined;
  timed('plane', asked, performance.now() - began);
  const ends = done.paths.map((path) => path[path.length - 1]), apart = (/** @type {Point} */ [a, b], /** @type {Point} */ [c, d]) => Math.hypot(a - c, b - d);
  const mean = (/** @type {number[]} */ all) => all.reduce((sum, one) => sum + one, 0) / all.length;
  const off = mean(ends.map((end) => Math.min(...points.map((point) => apart(end, point)))));
  const left = random ? NaN : mean(ends.map((end, i) => apart(end, done.reference[i][FINE])));
  const found = { points: figure(off), exact: random ? 'it has none: each step draws noise' : figure(left) };
  for (const node of values('plane-values')) node.textContent = found[/** @type {keyof typeof found} */ (node.dataset.v)];
  $('plane-values').hidden = false;
  draw();
  return say(`Done: ${counted(options.count, 'path')} of ${title} in ${counted(options.steps, 'step')}. They end ${figure(off)} from the nearest point on average.`);
}
