// What the training panel shows: the picture as the network sees it, the run's numbers, what was kept.
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { $, values as valuesOf } from '../../ui/dom.js';
import { begun } from '../../ui/runs.js';
import { pixels, toBytes } from '../../files/picture.js';

/**
 * @import { TrainingSample } from '../../api/types.js'
 *
 * @typedef {object} Settings of a training, by the names of the fields
 * @property {number} edge
 * @property {number} channels
 * @property {string} size
 * @property {number} steps
 * @property {number} batch
 * @property {number} rate
 * @property {number} every
 * @property {boolean} crops
 * @property {boolean} flips
 * @property {string} prediction
 * @property {string} loss
 * @property {string} weights
 * @property {string} labels where they are
 *
 * @typedef {Settings & { title: string, count: number }} About a training that was begun
 * @typedef {About & { step: number, losses: Float32Array, picture?: TrainingSample | null, saved: number }} Kept a training that was kept
 */

const canvases = { data: $('data-canvas', HTMLCanvasElement), kept: $('kept-canvas', HTMLCanvasElement) };

const dataFigure = /** @type {HTMLElement} */ (canvases.data.closest('figure'));

export const fitCanvases = () => keepFitted(canvases.data);

/**
 * The middle square of a picture at the network's size, and its name.
 * @param {HTMLCanvasElement} square
 * @param {{ edge: number, channels: number, name: string }} how
 */
export function showPicture(square, { edge, channels, name }) {
  dataFigure.hidden = false;
  drawGrid(canvases.data, toBytes(pixels(square, edge, channels), edge, channels), { width: edge, height: edge });
  $('data-caption').textContent = `As the network sees it: ${name}`;
}

/** What was chosen is seen when it has been read: until then there is no picture of it. */
export function showLater() {
  dataFigure.hidden = true;
}

/**
 * The first picture of training data.
 * @param {import('./data.js').Data} data
 * @param {string} name
 */
export function showFirst({ pixels: all, channels, height, width }, name) {
  dataFigure.hidden = false;
  const first = Float32Array.from(all.subarray(0, channels * height * width), (byte) => byte / 127.5 - 1);
  drawGrid(canvases.data, toBytes(first, width, channels), { width, height });
  $('data-caption').textContent = `As the network sees it: ${name}`;
}

/**
 * Texts of the run's values by their names.
 * @param {Record<string, string>} values
 */
export function showValues(values) {
  for (const node of valuesOf('train-values')) node.textContent = values[node.dataset.v ?? ''] ?? node.textContent;
}

/**
 * What was understood of the pictures: their classes, and what is not used.
 * @param {string[]} notes
 */
export function showFound(notes) {
  $('t-found').hidden = !notes.length;
  $('t-found').textContent = notes.map((note) => `${begun(note)}.`).join(' ');
}

/**
 * The training that was kept, or nothing.
 * @param {Kept | null | undefined} found
 */
export function showKept(found) {
  $('kept').hidden = !found;
  if (!found) return;
  const { step, steps, title, edge, size, picture, saved } = found;
  $('kept-text').textContent = `${step < steps ? 'A training is kept here' : 'A finished training is kept here'}: step ${step} of ${steps} on ${title}, `
    + `${edge} × ${edge}, ${size} network, of ${new Date(saved).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}. Train begins another, which takes its place.`;
  canvases.kept.hidden = !picture;
  if (picture) drawGrid(canvases.kept, new Uint8ClampedArray(picture.rgba), picture);
}
