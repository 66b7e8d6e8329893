// What the training panel shows: the picture as the network sees it, the run's numbers, its samples, what was kept.
import { drawGrid } from '../../ui/canvas.js';
import { bytes } from './data.js';

const $ = (id) => document.getElementById(id);

/** The middle square of a picture at the network's size, and its name. */
export function showPicture(square, { edge, channels, name }) {
  const shown = bytes(square, edge, channels), area = edge * edge;
  const rgba = new Uint8ClampedArray(4 * area).fill(255);
  for (let i = 0; i < 3 * area; i++) rgba[4 * (i % area) + Math.floor(i / area)] = shown[channels === 1 ? i % area : i];
  drawGrid($('data-canvas'), rgba, { width: edge, height: edge });
  $('data-caption').textContent = `${name[0].toUpperCase()}${name.slice(1)}, as the network sees it`;
}

/** Texts of the run's values by their names. */
export function showValues(values) {
  for (const [name, value] of Object.entries(values)) $('train-values').querySelector(`[data-v=${name}]`).textContent = value;
}

export function showSample({ rgba, count, width, height, step }) {
  drawGrid($('sample-canvas'), new Uint8ClampedArray(rgba), { count, width, height, gap: count > 1 ? 1 : 0 });
  $('sample-caption').textContent = `What the averaged network made of noise at step ${step}`;
}

/** The training that was kept, or nothing. */
export function showKept(found) {
  $('kept').hidden = !found;
  if (!found) return;
  const { step, steps, title, edge, size, picture, saved } = found;
  $('kept-text').textContent = `${step < steps ? 'A training is kept here' : 'A finished training is kept here'}: step ${step} of ${steps} on ${title}, `
    + `${edge} × ${edge}, ${size} network, of ${new Date(saved).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}. Train begins another, which takes its place.`;
  $('kept-canvas').hidden = !picture;
  if (picture) drawGrid($('kept-canvas'), new Uint8ClampedArray(picture.rgba), picture);
}
