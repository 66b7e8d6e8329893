// The loss split by timestep: a strip of cells, steps across, timesteps up, the brighter the larger the mean loss there.
import { $, make } from '../../ui/dom.js';
import { figure, whole } from '../../ui/numbers.js';

/**
 * @import { TrainingReport } from '../../api/types.js'
 */

const ROWS = 10; // of timesteps
const MOST = 40; // columns; beyond, two become one: a cell is to be of several pictures

const canvas = $('strip-canvas', HTMLCanvasElement), host = /** @type {HTMLElement} */ (canvas.closest('figure')), reading = $('strip-reading'), table = $('strip-table');
let width = 1, total = 1000, steps = 0;
/** @type {Float64Array[]} Sums and counts of each column, a pair a row. */ let columns = [];

export function startStrip() {
  host.hidden = true;
  canvas.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect(), column = Math.floor(((event.clientX - box.left) / box.width) * canvas.width), row = ROWS - 1 - Math.floor(((event.clientY - box.top) / box.height) * ROWS);
    reading.textContent = `${stepsOf(column)}, ${timestepsOf(row)}: ${value(column, row)}`;
  });
  canvas.addEventListener('pointerleave', say);
  $('strip-details').addEventListener('toggle', fillTable);
}

/** @param {number} timesteps T of the training that begins */
export function beginStrip(timesteps) {
  [columns, width, total, steps] = [[], 1, timesteps, 0];
  host.hidden = true;
}

/** @param {TrainingReport} report of the step that follows the last one */
export function addToStrip({ step, timesteps, losses }) {
  while (Math.ceil(step / width) > MOST) halve();
  const column = columns[Math.floor((step - 1) / width)] ??= new Float64Array(2 * ROWS);
  for (const [i, t] of timesteps.entries()) {
    const row = Math.min(ROWS - 1, Math.floor((t * ROWS) / total));
    column[2 * row] += losses[i];
    column[2 * row + 1]++;
  }
  steps = step;
}

function halve() {
  width *= 2;
  const before = columns;
  columns = [];
  before.forEach((one, i) => { // places that are not there are left out
    const into = columns[i >> 1] ??= new Float64Array(2 * ROWS);
    for (const [k, x] of one.entries()) into[k] += x;
  });
}

/** @param {number} planned steps that the strip has room for */
export function drawStrip(planned) {
  if (!columns.length) return;
  host.hidden = false;
  const across = Math.max(columns.length, Math.min(MOST, Math.ceil(planned / width)));
  const means = columns.flatMap((_, column) => Array.from({ length: ROWS }, (_, row) => mean(column, row))).filter((one) => one > 0).map(Math.log);
  const low = Math.min(...means), high = Math.max(...means);
  if (canvas.width !== across || canvas.height !== ROWS) Object.assign(canvas, { width: across, height: ROWS });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.clearRect(0, 0, across, ROWS);
  context.fillStyle = getComputedStyle(canvas).color;
  for (let column = 0; column < columns.length; column++) {
    for (let row = 0; row < ROWS; row++) {
      const one = mean(column, row);
      if (!(one > 0)) continue;
      context.globalAlpha = 0.06 + 0.94 * (high > low ? (Math.log(one) - low) / (high - low) : 1);
      context.fillRect(column, ROWS - 1 - row, 1, 1);
    }
  }
  $('strip-from').textContent = figure(Math.exp(low));
  $('strip-to').textContent = figure(Math.exp(high));
  $('strip-last').textContent = `step ${whole(across * width)}`;
  $('strip-top').textContent = `t = ${total}`;
  if (!canvas.matches(':hover')) say();
  if ($('strip-details', HTMLDetailsElement).open) fillTable();
}

const mean = (/** @type {number} */ column, /** @type {number} */ row) => (columns[column] ? columns[column][2 * row] / columns[column][2 * row + 1] : NaN);

/** The mean of some columns of a row. */
function over(/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ row) {
  let sum = 0, count = 0;
  for (const one of columns.slice(from, to)) if (one) [sum, count] = [sum + one[2 * row], count + one[2 * row + 1]];
  return sum / count;
}

const stepsOf = (/** @type {number} */ column) => (width === 1 ? `step ${whole(column + 1)}` : `steps ${whole(column * width + 1)} to ${whole((column + 1) * width)}`);
const timestepsOf = (/** @type {number} */ row) => `t ${Math.round((row * total) / ROWS) + 1} to ${Math.round(((row + 1) * total) / ROWS)}`;

function value(/** @type {number} */ column, /** @type {number} */ row) {
  const count = columns[column]?.[2 * row + 1] ?? 0;
  return count ? `mean loss ${figure(mean(column, row))} of ${count} ${count === 1 ? 'picture' : 'pictures'}` : 'nothing was drawn there';
}

/** What the strip shows of the last tenth of the steps, in words. */
function say() {
  const tenth = Math.max(1, Math.ceil(columns.length / 10)), lately = Array.from({ length: ROWS }, (_, row) => over(columns.length - tenth, columns.length, row));
  const known = lately.map((one, row) => /** @type {[number, number]} */ ([one, row])).filter(([one]) => Number.isFinite(one)).sort(([a], [b]) => a - b);
  if (!known.length) return;
  const [[least, easy], [most, hard]] = [known[0], known[known.length - 1]];
  reading.textContent = `Lately the error is largest at ${timestepsOf(hard)}, ${figure(most)}, and smallest at ${timestepsOf(easy)}, ${figure(least)}.`;
  canvas.setAttribute('aria-label', `Loss by timestep over ${whole(steps)} steps`);
}

/** Ten spans of steps across, the timesteps down. */
function fillTable() {
  const each = Math.max(1, Math.ceil(columns.length / 10)), spans = Array.from({ length: Math.ceil(columns.length / each) }, (_, i) => /** @type {[number, number]} */ ([i * each, Math.min(columns.length, (i + 1) * each)]));
  const line = (/** @type {HTMLElement[]} */ cells) => { const row = make('tr'); row.append(...cells); return row; };
  table.replaceChildren(
    line([make('th', { scope: 'col', textContent: 'timestep' }), ...spans.map(([from, to]) => make('th', { scope: 'col', textContent: to * width - from * width === 1 ? `step ${to}` : `steps ${whole(from * width + 1)}–${whole(to * width)}` }))]),
    ...Array.from({ length: ROWS }, (_, i) => ROWS - 1 - i).map((row) => line([make('th', { scope: 'row', textContent: timestepsOf(row) }), ...spans.map(([from, to]) => make('td', { textContent: figure(over(from, to, row)) }))])),
  );
}
