// A block's operations in their order, and of one of them: its numbers, a channel as a picture, a pixel picked in it.
import { pollen } from '../../api/pollen.js';
import { $, fields, touch, values as valuesOf } from '../../ui/dom.js';
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { figure, whole } from '../../ui/numbers.js';
import { signed } from '../../ui/signed.js';
import { due } from '../address.js';
import { timeOf } from '../speed/kernels.js';
import { gradients } from '../train/train.js';
import { isShown, nameOf } from './blocks.js';
import { fillTile, shapeOf, tile } from './drawing.js';
import { mustBeLoaded, objectTo } from './seen.js';
import { showSum } from './sum.js';

/**
 * @import { Activation, NetworkOperation } from '../../api/types.js'
 * @import { Block } from './blocks.js'
 * @import { Spot } from './sums.js'
 * @import { Seen } from './open.js'
 *
 * @typedef {object} Layer the operation that is looked at
 * @property {Seen} seen
 * @property {number} place
 * @property {NetworkOperation} operation
 * @property {Activation & { values: Float32Array }} result
 * @property {{ place: number, values: Float32Array, shape: number[] }[]} inputs those that can be read back
 */

const MOST = 64; // channels shown at once
const list = $('u-operations'), grid = $('u-channels', HTMLCanvasElement), canvas = $('u-channel', HTMLCanvasElement), field = fields('unet-spot');
/** @type {Map<string, number>} The operation that was chosen in a block. */ const last = new Map();
/** @type {Layer | null} */ let layer = null;
let usual = ''; // the layer that stands there at first
const address = /** @type {HTMLInputElement} */ (document.querySelector('[data-setting="unet.layer"]'));
/** @type {Spot} */ let spot = { channel: 0, y: 0, x: 0 };

export function startLayers() {
  keepFitted(canvas);
  $('unet-spot').addEventListener('submit', (event) => event.preventDefault());
  for (const input of [field.channel, field.x, field.y]) input.addEventListener('input', () => pick({ channel: field.channel.valueAsNumber, x: field.x.valueAsNumber, y: field.y.valueAsNumber }));
  grid.addEventListener('click', (event) => {
    if (!layer) return;
    const [, height, width] = layer.operation.shape, first = from(), shown = Math.min(MOST, layer.operation.shape[0] - first), across = Math.ceil(Math.sqrt(shown));
    const [x, y] = inside(grid, event), channel = Math.floor(y / (height + 1)) * across + Math.floor(x / (width + 1));
    if (channel < shown) pick({ ...spot, channel: first + channel });
    touch(field.channel);
  });
  const point = (/** @type {PointerEvent} */ event) => { const [x, y] = inside(canvas, event); pick({ ...spot, x, y }); };
  canvas.addEventListener('pointerdown', point);
  canvas.addEventListener('pointermove', (event) => { if (event.buttons) point(event); });
  canvas.addEventListener('pointerup', () => touch(field.x)); // for the address
}

/** The pixel of a canvas under the pointer. */
function inside(/** @type {HTMLCanvasElement} */ of, /** @type {MouseEvent} */ event) {
  const box = of.getBoundingClientRect();
  return [Math.floor(((event.clientX - box.left) / box.width) * of.width), Math.floor(((event.clientY - box.top) / box.height) * of.height)];
}

/** The first of the channels that are shown with the one that is chosen. */
const from = () => Math.floor(spot.channel / MOST) * MOST;

export function hideLayers() {
  $('u-block').hidden = true;
  layer = null;
  usual = '';
}

/**
 * @param {Seen} seen
 * @param {Block} block
 */
export async function showBlock(seen, block) {
  const places = block.operations.filter((place) => isShown(seen.all[place]));
  const results = await pollen.activations({ ...seen.input, operations: places });
  const focused = document.activeElement instanceof HTMLElement && list.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  const buttons = places.map((place, i) => {
    const name = nameOf(seen.all, place), button = tile(name, `, ${shapeOf(seen.all[place])}`, seen.all[place]);
    fillTile(button, results[i], seen.all[place]);
    button.dataset.place = String(place);
    button.addEventListener('click', () => choose(seen, block, place).catch(objectTo));
    return button;
  });
  list.replaceChildren(...buttons);
  buttons.find(({ dataset }) => dataset.place === focused)?.focus();
  $('u-block-title').textContent = `${block.title[0].toUpperCase()}${block.title.slice(1)}`;
  $('u-block-name').textContent = block.name === 'time' ? '' : block.name;
  $('u-block').hidden = false;
  await choose(seen, block, last.get(block.name) ?? places.find((place) => seen.all[place].operation === 'conv2d') ?? places[0]);
}

/**
 * Reads the results of an operation and of those that it reads.
 * @param {Seen} seen
 * @param {Block} block
 * @param {number} place
 */
async function choose(seen, block, place) {
  mustBeLoaded(seen);
  last.set(block.name, place);
  const text = `${block.name}:${place}`;
  usual ||= text;
  const noted = text === usual ? '' : text;
  if (address.value !== noted) {
    address.value = noted;
    touch(address);
  }
  const operation = seen.all[place], readable = operation.inputs.filter((input) => seen.all[input].operation !== 'embedding');
  const [result, ...inputs] = /** @type {Layer['result'][]} */ (await pollen.activations({ ...seen.input, operations: [place, ...readable], whole: true }));
  layer = { seen, place, operation, result, inputs: inputs.map(({ values }, i) => ({ place: readable[i], values, shape: seen.all[readable[i]].shape })) };
  for (const button of list.querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.place === String(place)));
  const [channels, height, width] = operation.shape;
  [field.channel.max, field.x.max, field.y.max] = [channels - 1, width - 1, height - 1].map(String);
  for (const input of [field.x, field.y]) /** @type {HTMLElement} */ (input.closest('.field')).hidden = height * width === 1;
  describe(layer);
  // The same place in the picture, in a layer of another size.
  [field.channel.defaultValue, field.x.defaultValue, field.y.defaultValue] = [result.channel, width >> 1, height >> 1].map(String);
  const kept = spot.channel < channels && spot.channel !== 0 ? spot.channel : result.channel;
  pick(spot.y || spot.x ? { channel: kept, y: spot.y, x: spot.x } : { channel: kept, y: height >> 1, x: width >> 1 });
}

/**
 * The operation that a block is looked at by, if it has that one.
 * @param {Block} block
 * @param {number} place
 */
export function prefer({ name, operations }, place) {
  const has = operations.includes(place);
  if (has) last.set(name, place);
  return has;
}

/** Goes to the number that the address asks for, once its layer is there. */
export function goToSpot() {
  const [channel, x, y] = ['channel', 'x', 'y'].map((name) => Number(due(`unet.${name}`) ?? NaN)), or = (/** @type {number} */ asked, /** @type {number} */ now) => (Number.isFinite(asked) ? asked : now);
  pick({ channel: or(channel, spot.channel), x: or(x, spot.x), y: or(y, spot.y) }, due('unet.input'));
  touch(field.channel);
}

/** What is known of the operation by now. */
export function describeAgain() {
  if (layer) describe(layer);
}

const millionsOf = (/** @type {number} */ flops) => `${figure(flops / 1e6)} million`;

/** What an operation is, and its moments. */
function describe(/** @type {Layer} */ { seen, place, operation, result }) {
  const { kernel, flops, tensors } = operation;
  const later = seen.all.findIndex((one, at) => at > place && one.kernel && reads(seen.all, at, place)), by = kernel ? null : seen.all[later];
  $('u-layer-title').textContent = nameOf(seen.all, place);
  $('u-tensors').textContent = tensors.length > 4 ? `${tensors[0]} and ${whole(tensors.length - 1)} more tensors` : tensors.join(', ');
  /** @type {Record<string, string>} */
  const values = {
    shape: shapeOf(operation),
    time: seen.times ? timeOf(seen.times, place) : '',
    flops: flops ? millionsOf(flops) : by?.flops ? `among the ${millionsOf(by.flops)} of “${nameOf(seen.all, later)}”` : '',
    kernel: kernel ?? (by ? `${by.kernel}, which goes on to “${nameOf(seen.all, later)}”` : '–'),
    mean: figure(result.mean), deviation: figure(result.deviation), least: figure(result.least), most: figure(result.most),
  };
  for (const node of valuesOf('u-layer-values')) node.textContent = values[node.dataset.v ?? ''] ?? '';
  $('u-time').hidden = !values.time;
  $('u-flops').hidden = !values.flops;
  showGradient(tensors).catch(objectTo);
}

/** Of a network that learned on this page, the norm of the gradient over the tensors of a layer, as Adam averages it. */
async function showGradient(/** @type {string[]} */ tensors) {
  const norms = tensors.length ? await gradients() : null, row = $('u-gradient');
  row.hidden = !norms;
  if (norms) /** @type {HTMLElement} */ (row.querySelector('dd')).textContent = figure(Math.hypot(...tensors.map((name) => norms[name])));
}

/**
 * Whether the kernel of operation `at` takes in that of `place`, on a way of operations that have none of their own.
 * @returns {boolean}
 */
function reads(/** @type {NetworkOperation[]} */ all, /** @type {number} */ at, /** @type {number} */ place) {
  return all[at].inputs.some((input) => input === place || (input > place && !all[input].kernel && reads(all, input, place)));
}

/**
 * @param {Spot} wanted moved into the picture where it is outside
 * @param {string} [input] channel of the layer before it, whose sum is shown
 */
function pick(wanted, input) {
  if (!layer) return;
  const { operation: { shape }, result: { values } } = layer, [channels, height, width] = shape;
  const within = (/** @type {number} */ value, /** @type {number} */ size) => Math.min(size - 1, Math.max(0, Math.round(value) || 0));
  spot = { channel: within(wanted.channel, channels), y: within(wanted.y, height), x: within(wanted.x, width) };
  for (const [input, value] of /** @type {const} */ ([[field.channel, spot.channel], [field.x, spot.x], [field.y, spot.y]])) if (document.activeElement !== input || input.valueAsNumber !== value) input.value = String(value);
  const area = height * width, image = area > 1;
  for (const node of [grid, canvas]) /** @type {HTMLElement} */ (node.closest('figure')).hidden = !image;
  if (image) {
    const first = from(), shown = Math.min(MOST, channels - first), across = Math.ceil(Math.sqrt(shown));
    const rgba = new Uint8ClampedArray(4 * area * across * Math.ceil(shown / across));
    for (let i = 0; i < shown; i++) paste(rgba, signed(values.subarray((first + i) * area, (first + i + 1) * area)), (i % across) * width, Math.floor(i / across) * height, width, across * width);
    drawGrid(grid, rgba, { count: shown, width, height, gap: 1 });
    grid.setAttribute('aria-label', `Channels ${first} to ${first + shown - 1} side by side; ${spot.channel} is chosen`);
    $('u-channels-caption').textContent = channels > MOST ? `Channels ${first} to ${first + shown - 1} of ${channels}. Click one.` : `All ${channels} channels. Click one.`;
    const picture = signed(values.subarray(spot.channel * area, (spot.channel + 1) * area));
    picture.set([255, 255, 255, 255], 4 * (spot.y * width + spot.x));
    drawGrid(canvas, picture, { width, height });
    canvas.setAttribute('aria-label', `Channel ${spot.channel}; the pixel in column ${spot.x}, row ${spot.y} is picked`);
    $('u-channel-caption').textContent = `Channel ${spot.channel}. The white pixel is the one below; click another.`;
  }
  showSum(layer, spot, input).catch(objectTo);
}

/** Copies a picture into a wider one. */
function paste(/** @type {Uint8ClampedArray} */ into, /** @type {Uint8ClampedArray} */ picture, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ width, /** @type {number} */ across) {
  for (let row = 0; row * width * 4 < picture.length; row++) into.set(picture.subarray(4 * row * width, 4 * (row + 1) * width), 4 * ((y + row) * across + x));
}
