// The plane: points as pictures of two values, the forward chain as a cloud, the score as a field, and the paths on which solvers lead
// noise back to the points, with the ideal denoiser in the network's place.
import { pollen, beside } from '../../api/pollen.js';
import { drawn } from '../../ui/breathe.js';
import { $, fields, fits, named, values } from '../../ui/dom.js';
import { reveal } from '../../ui/canvas.js';
import { guessed, onGuess } from '../../ui/guess.js';
import { counted, figure } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { announce, busy, complain, forgive, number } from '../../ui/runs.js';
import { SAMPLERS, samplersKnown } from '../../ui/samplers.js';
import { carry, packed, unpacked } from '../carried.js';
import { pointsAre, work } from '../plane.js';
import { pairs, pathsOf } from './chain.js';
import { drawPlane, placeOf, REACH } from './drawing.js';
import { arrows } from './field.js';
import { distancesOf, exactPaths, showDistances } from './leaving.js';
import { PRESETS } from './presets.js';
import { showProbe } from './probe.js';
import { RANDOM } from './solvers.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {{ paths: Point[][], reference: Point[][], signs: Point[] }} Made paths by sample, each from the noise on
 */

const MOST = 400; // points
const CLOUD = 600; // points of the cloud at least
const GRID = 500; // of a unit, on which points of one's own lie: so an address can carry them

const field = fields('plane-form'), canvas = $('plane-canvas', HTMLCanvasElement), slider = $('plane-t', HTMLInputElement);
/** @type {Point[]} */ let points = [];
/** @type {Point[]} */ let noise = []; // of the cloud
/** @type {Point[]} */ let cloud = [];
/** @type {[Point, Point][]} */ let scores = [];
/** @type {Point} */ let place = [field.x.valueAsNumber, field.y.valueAsNumber]; // of the numbers
/** @type {Made | null} */ let made = null;
/** @type {Float64Array | null} */ let alphaBar = null;
let shaken = 0, walks = 0, waiting = false, box = { width: 0, height: 0 }; // the canvas has no size before its section appears

const put = carry('plane.points', (text) => {
  const all = unpacked(text);
  if (!all || all.length % 2 || all.some((one) => one > 2 * GRID)) return false;
  own(pairs(all.map((one) => one / GRID - 1)));
  return true;
});
const note = () => put(field.data.value === 'own' ? packed(points.flat().map((one) => Math.round((one + 1) * GRID))) : '');
field.data.addEventListener('change', choose);
canvas.addEventListener('pointerup', note);
for (const one of [slider, field.field]) one.addEventListener('input', show);
field.field.addEventListener('change', show);
field.seed.addEventListener('change', shake);
for (const one of [field.x, field.y]) one.addEventListener('input', () => {
  if (!fits(field.x) || !fits(field.y)) return;
  place = [field.x.valueAsNumber, field.y.valueAsNumber];
  soon();
});
canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  add(event);
});
canvas.addEventListener('pointermove', (event) => {
  place = placeOf(canvas, event);
  if (canvas.hasPointerCapture(event.pointerId)) add(event); else soon();
});
$('plane-add').addEventListener('click', () => {
  try { own([...points, [number(field.x), number(field.y)]]); } catch (error) { complain(error); }
  note();
});
$('plane-clear').addEventListener('click', () => { own([]); note(); });
new ResizeObserver(([{ borderBoxSize: [{ inlineSize, blockSize }] }]) => {
  box = { width: inlineSize, height: blockSize };
  draw();
}).observe(canvas);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
onGuess('plane', draw);
const begun = pollen.ready.then(async () => {
  ({ alphaBar } = await pollen.schedule());
  choose();
});
begun.catch(() => {}); // main.js says why the engine did not start

function add(/** @type {PointerEvent} */ event) { if (event.buttons) own([...points, placeOf(canvas, event)]); }

function choose() {
  const preset = PRESETS[field.data.value];
  if (preset) points = preset(); else own(points.length ? points : PRESETS.moons()); // those that were there, to go on from
  changed();
  note();
}

/**
 * The visitor's own points, within the square of values that pictures have.
 * @param {Point[]} all
 */
function own(all) {
  const inside = (/** @type {number} */ value) => Math.max(-1, Math.min(1, Math.round(value * GRID) / GRID));
  points = all.slice(-MOST).map(([x, y]) => [inside(x), inside(y)]);
  field.data.value = 'own';
  changed();
}

function changed() {
  pointsAre(points.length);
  made = null;
  walks++; // of what is being walked nobody is to see the end
  $('plane-values').hidden = true;
  showDistances('', null);
  shake();
}

/** The noise of the cloud: several times as many as there are points. */
async function shake() {
  const count = points.length && Math.ceil(CLOUD / points.length) * points.length, mine = ++shaken;
  if (fits(field.seed) && count !== noise.length) noise = [];
  show();
  if (!count || !fits(field.seed)) return;
  try {
    const all = pairs(await pollen.randn({ seed: field.seed.valueAsNumber, shape: [count, 1, 1, 2] }));
    if (mine !== shaken) return;
    noise = all;
    show();
  } catch (error) { complain(error); }
}

/** What stands at the slider's t: x_t of every point, several times each, and the score. */
function show() {
  const t = slider.valueAsNumber;
  $('plane-t-out').textContent = String(t);
  slider.setAttribute('aria-valuetext', `t = ${t} of 1000`);
  if (!alphaBar) return;
  const keep = Math.sqrt(alphaBar[t]), fresh = Math.sqrt(1 - alphaBar[t]);
  cloud = t ? noise.map(([x, y], i) => [keep * points[i % points.length][0] + fresh * x, keep * points[i % points.length][1] + fresh * y]) : [];
  scores = t && points.length && field.field.checked ? arrows(points, alphaBar[t], REACH) : [];
  soon();
}

/** Draws once a frame at most. */
function soon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(draw);
}

function draw() {
  waiting = false;
  const t = slider.valueAsNumber, x0 = alphaBar && showProbe(place, t, points, alphaBar[t]), signs = made && guessed('plane') ? made.signs : [];
  drawPlane(canvas, box, {
    points, cloud, field: scores, square: 1, paths: made?.paths ?? [], reference: made?.reference ?? [], signs, probe: x0 && { x: place, x0 },
  });
  if (points.length) canvas.parentElement?.classList.add('drawn');
  const parts = [...(t ? [`the cloud at t = ${t}`] : []), ...(scores.length ? ['the score field'] : [])];
  canvas.setAttribute('aria-label', `A plane with ${counted(points.length, 'point')}${parts.length ? `, ${parts.join(' and ')}` : ''}${made ? `${parts.length ? ',' : ''} and ${counted(made.paths.length, 'path')} from noise` : ''}${signs.length ? `, ${signs.length} crossed where they leave the exact one` : ''}`);
}

/** Walks, whatever else runs on the page. */
export async function walk() {
  await Promise.all([samplersKnown, begun]);
  let /** @type {Parameters<typeof pathsOf>[0]} */ options;
  try { options = { sampler: field.sampler.value, steps: number(field.steps), seed: number(field.seed), count: number(field.count) }; } catch (error) { return complain(error); }
  if (!points.length || !alphaBar) return complain('There are no points in the plane. Choose a shape, or click in the plane to put some there.');
  reveal(canvas);
  if (!busy()) forgive();
  const { title } = SAMPLERS[options.sampler], random = RANDOM.has(options.sampler), mine = ++walks, stale = () => mine !== walks;
  beside().cancel(); // of an earlier walk
  const asked = work(), began = performance.now();
  tell(`Walking back by ${title}.`);
  try {
    const { at, paths } = await pathsOf(options, points, alphaBar);
    if (stale()) return undefined;
    made = { paths, reference: [], signs: [] };
    draw();
    const exact = random ? null : await exactPaths(pairs(await beside().randn({ seed: options.seed, shape: [options.count, 1, 1, 2] })), points, alphaBar, at, stale);
    if (stale()) return undefined;
    timed('plane', asked, performance.now() - began);
    const distances = exact && distancesOf({ at, paths }, exact.compared), name = `${title}, ${counted(options.steps, 'step')}`;
    if (exact && distances) made = { paths, reference: exact.drawn, signs: distances.first.flatMap((k, i) => (k === null ? [] : [paths[i][k]])) };
    draw();
    await drawn(); // the chart is another frame's work
    if (stale()) return undefined;
    showDistances(name, distances);
    const apart = (/** @type {Point} */ [a, b], /** @type {Point} */ [c, d]) => Math.hypot(a - c, b - d);
    const off = paths.reduce((sum, path) => sum + Math.min(...points.map((point) => apart(path[path.length - 1], point))), 0) / paths.length;
    const found = { points: figure(off), exact: distances ? figure(distances.mean[at.length - 1]) : 'it has none: each step draws noise' };
    for (const node of values('plane-values')) node.textContent = found[/** @type {keyof typeof found} */ (node.dataset.v)];
    $('plane-values').hidden = false;
    return tell(`Done: ${counted(options.count, 'path')} of ${title} in ${counted(options.steps, 'step')}. They end ${figure(off)} from the nearest point on average.`);
  } catch (error) {
    if (named(error).name === 'AbortError' && stale()) return undefined;
    tell('');
    return complain(error);
  }
}

/** In the page's status, or here while that is of a run. @param {string} sentence */
function tell(sentence) {
  $('plane-said').textContent = busy() ? sentence : '';
  if (sentence) announce(sentence);
}
