// What the reverse chain shows before its first run: the noise that it will start from, and samples that the model made before.
import { pollen } from '../../api/pollen.js';
import { drawGrid, mix } from '../../ui/canvas.js';
import { $, make } from '../../ui/dom.js';
import { saving, showReverse } from '../arrival.js';
import { caption } from './film.js';

/** @import { Entry } from '../models/entry.js' */

const ACROSS = 8, SHOWN = 4; // samples in a row of a sheet, and of what is shown of it
const SMALL = 32; // pixels of a sample whose sheet weighs little
const MOST = 1e6; // values of noise

const figures = ['xt-canvas', 'x0-canvas', 'eps-canvas'].map((id) => /** @type {HTMLElement} */ ($(id, HTMLCanvasElement).closest('figure')));
let asked = 0;
/** @typedef {(rgba: Uint8ClampedArray, shape: { width: number, height: number }, seed: number) => void} Listener */
/** @type {Listener[]} */ const listeners = [];

/** @type {Parameters<Listener> | null} */ let last = null;

/** @param {Listener} listener hears of the noise of one sample whenever that is shown before a run, and of the last one at once */
export function onNoise(listener) {
  listeners.push(listener);
  if (last) listener(...last);
}

/**
 * x_T: the noise of a seed, as the chain starts from it.
 * @param {{ seed: number, count: number }} options
 * @param {{ channels: number, width: number, height: number }} model
 */
export async function noise({ seed, count }, { channels, width, height }) {
  return (await pollen.jump({ shape: [count, channels, height, width], seed, alphaBar: 0 })).rgba;
}

/**
 * Fills the frames for a model that has made nothing on this page; what is not known of it is hidden.
 * @param {Entry} model
 * @param {{ seed: number, count: number }} options
 */
export async function showBefore(model, { seed, count }) {
  const mine = ++asked, { sheet } = model, loaded = model.from === 'opened' ? pollen.model : null;
  const shape = sheet ? { channels: sheet.channels, width: sheet.size, height: sheet.size } : loaded;
  $('reverse-values').hidden = true;
  figures[0].hidden = !shape;
  figures[1].hidden = !sheet;
  figures[2].hidden = true;
  if (shape && count * shape.channels * shape.width * shape.height <= MOST) {
    const rgba = await noise({ seed, count }, shape);
    if (mine !== asked) return;
    last = [await noise({ seed, count: 1 }, shape), shape, seed];
    for (const listener of listeners) listener(...last);
    drawGrid($('xt-canvas', HTMLCanvasElement), rgba, { ...shape, count, gap: 1 });
    mix($('xt-frame'), 0);
    caption('xt-caption', 'T', `: the noise of seed ${seed}, from which Generate starts`);
    $('xt-canvas', HTMLCanvasElement).setAttribute('aria-label', `The samples x t before any step: the noise of seed ${seed}`);
  }
  if (!sheet) return;
  const samples = await cut(model).catch(() => null);
  if (mine !== asked) return;
  figures[1].hidden = !samples;
  if (!samples) return;
  const shown = SHOWN * SHOWN, example = `Example: ${shown} pictures that ${model.title} drew from ${shown} noises, none picked out`;
  const whole = `${example}: seeds 0 to ${shown - 1}.`;
  drawGrid($('x0-canvas', HTMLCanvasElement), samples.rgba, samples);
  $('x0-caption').textContent = whole;
  $('x0-canvas', HTMLCanvasElement).setAttribute('aria-label', `The network's guess of the finished samples is not there yet. ${whole}`);
  showReverse(samples.rgba, samples, example, 1);
}

/**
 * The first samples of the model's sheet; nothing where that is large and the visitor is sparing of data.
 * @param {Entry} model
 */
async function cut({ sheet }) {
  if (!sheet || (saving() && sheet.size > SMALL)) return null;
  const image = new Image();
  image.src = sheet.path;
  await image.decode();
  const cell = image.naturalWidth / ACROSS, edge = SHOWN * sheet.size;
  const context = /** @type {CanvasRenderingContext2D} */ (make('canvas', { width: edge, height: edge }).getContext('2d', { willReadFrequently: true }));
  context.drawImage(image, 0, 0, SHOWN * cell, SHOWN * cell, 0, 0, edge, edge);
  return { rgba: context.getImageData(0, 0, edge, edge).data, count: SHOWN * SHOWN, width: sheet.size, height: sheet.size, gap: 1 };
}
