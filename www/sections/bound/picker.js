// The pixel that is looked at: of a map of the bits that each pixel of the measured picture costs.
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { $, fields, touch } from '../../ui/dom.js';

/** @import { Measured } from '../likelihood.js' */

/**
 * @typedef {object} Picked
 * @property {number} index of the value in the picture, planar
 * @property {number} x
 * @property {number} y
 * @property {number} channel
 */

const NUMBERS = 5; // for each value
const MARK = [240, 189, 74, 255];

/** All pickers move together. @type {(() => void)[]} */ const all = [];
const place = { x: 14, y: 14, channel: 0 };

/**
 * A map with its fields in the form `id`; `onPick` hears of the value that is chosen.
 * @param {string} id
 * @param {(picked: Picked) => void} onPick
 */
export function pixelPicker(id, onPick) {
  const field = fields(id), canvas = /** @type {HTMLCanvasElement} */ ($(id).querySelector('canvas'));
  /** @type {Measured | null} */ let of = null;
  let t = 1;
  keepFitted(canvas);
  const show = () => {
    [field.x.value, field.y.value, field.channel.value] = [String(place.x), String(place.y), String(place.channel)];
    if (!of) return;
    const { width, height, channels } = of;
    map(canvas, of, t);
    onPick({ ...place, index: (place.channel * height + place.y) * width + place.x });
    canvas.setAttribute('aria-label', `What each pixel costs at t = ${t}, light where it is much; pixel ${place.x}, ${place.y} is picked${channels > 1 ? ` in ${['red', 'green', 'blue'][place.channel]}` : ''}`);
  };
  const pick = (/** @type {number} */ x, /** @type {number} */ y) => {
    place.x = Math.min((of?.width ?? Infinity) - 1, Math.max(0, Math.round(x) || 0));
    place.y = Math.min((of?.height ?? Infinity) - 1, Math.max(0, Math.round(y) || 0));
    for (const other of all) other();
  };
  $(id).addEventListener('submit', (event) => event.preventDefault());
  for (const input of [field.x, field.y, field.channel]) {
    for (const event of ['input', 'change']) input.addEventListener(event, () => { place.channel = Number(field.channel.value); pick(field.x.valueAsNumber, field.y.valueAsNumber); });
  }
  canvas.addEventListener('pointerdown', (event) => {
    const box = canvas.getBoundingClientRect();
    pick(Math.floor(((event.clientX - box.left) / box.width) * canvas.width), Math.floor(((event.clientY - box.top) / box.height) * canvas.height));
    touch(field.x);
  });
  all.push(show);
  return {
    /**
     * @param {Measured} measured
     * @param {number} at timestep
     */
    show(measured, at) {
      place.channel = Math.min(place.channel, measured.channels - 1);
      of = measured;
      t = at;
      const { width, height, channels } = measured;
      [field.x.max, field.y.max] = [String(width - 1), String(height - 1)];
      /** @type {HTMLElement} */ (field.channel.closest('.field')).hidden = channels === 1;
      place.x = Math.min(place.x, width - 1);
      place.y = Math.min(place.y, height - 1);
      $(id).hidden = false;
      show();
    },
  };
}

/** The costs as grey, the greatest white; the picked pixel in a colour of its own. */
function map(/** @type {HTMLCanvasElement} */ canvas, /** @type {Measured} */ { width, height, channels, values }, /** @type {number} */ t) {
  const numbers = values.get(t) ?? new Float64Array(NUMBERS * width * height * channels), area = width * height, nats = new Float64Array(area);
  for (let i = 0; i < area * channels; i++) nats[i % area] += numbers[NUMBERS * i + NUMBERS - 1];
  const most = nats.reduce((a, b) => Math.max(a, b), 1e-300), rgba = new Uint8ClampedArray(4 * area);
  for (let i = 0; i < area; i++) {
    const grey = 255 * Math.sqrt(Math.max(0, nats[i]) / most);
    rgba.set([grey, grey, grey, 255], 4 * i);
  }
  rgba.set(MARK, 4 * (place.y * width + place.x));
  drawGrid(canvas, rgba, { width, height });
}

/**
 * The Gaussians of a value: q's and p_θ's mean and variance, and what it costs in nats.
 * @param {Measured} measured
 * @param {number} t
 * @param {number} index
 */
export function gaussiansAt({ values }, t, index) {
  const [qMean, qVariance, pMean, pVariance, nats] = values.get(t)?.subarray(NUMBERS * index, NUMBERS * (index + 1)) ?? [];
  return { q: { mean: qMean, variance: qVariance }, p: { mean: pMean, variance: pVariance }, nats };
}
