// What is done with the frame of a run that is shown: saved, linked to, taken to the forward chain.
import { pollen } from '../../api/pollen.js';
import { saveGrid, saveStrip } from '../../files/png.js';
import { $, make } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';
import { use } from '../forward/forward.js';
import { current } from './film.js';
import { copyLink } from './link.js';

const STRIP = 10; // frames of a strip at most

export function startTaking() {
  for (const [id, scale] of /** @type {const} */ ([['save', 1], ['save-large', 8]])) $(id).addEventListener('click', () => save(scale));
  $('save-strip').addEventListener('click', strip);
  $('link').addEventListener('click', () => { const film = current(); if (film) copyLink(film.options); });
  $('to-forward').addEventListener('click', toForward);
}

/** @param {number} scale pixels of the file for one of the picture */
function save(scale) {
  const film = current();
  if (!film) return;
  const { options, index, pictures, numbers: { count, width, height, steps } } = film;
  saveGrid(pictures.xt, { count, width, height }, options, { scale, ...(index < steps ? { step: index } : {}) }).catch(complain);
}

/** Frames of the run from the noise to the end, evenly spaced, in one picture. */
function strip() {
  const film = current();
  if (!film) return;
  const { options, frames, numbers: { count, width, height } } = film, shown = Math.min(STRIP, Math.floor(frames.last / frames.stride) + 1);
  const places = Array.from({ length: shown }, (_, i) => Math.round((i * frames.last) / Math.max(1, shown - 1)));
  const kept = places.map((place) => frames.near(place)).filter((frame) => frame !== undefined);
  saveStrip(kept.map(({ xt }) => xt), { count, width, height }, options, 4).catch(complain);
}

/** The first sample that is shown becomes the picture that the forward chain dissolves. */
function toForward() {
  const film = current();
  if (!film) return;
  const { width, height, count } = film.numbers, across = Math.ceil(Math.sqrt(count));
  const square = make('canvas', { width, height }), data = new ImageData(new Uint8ClampedArray(film.pictures.xt), across * width);
  /** @type {CanvasRenderingContext2D} */ (square.getContext('2d', { willReadFrequently: true })).putImageData(data, 0, 0);
  use(square, `a sample of ${film.about.replace(/\.$/, '')}`, { size: width, channels: pollen.model?.channels === 1 ? 1 : 3 });
  $('forward').scrollIntoView();
  $('forward-t').focus({ preventScroll: true });
}
