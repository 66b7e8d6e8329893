// One number of a layer, written out: the formula with what it read, and beside it what the device computed.
import { pollen } from '../../api/pollen.js';
import { $, fields, make, touch } from '../../ui/dom.js';
import { Chart } from '../../ui/chart.js';
import { drawGrid } from '../../ui/canvas.js';
import { counted, figure } from '../../ui/numbers.js';
import { signed } from '../../ui/signed.js';
import { clearLive, liveAttention, liveConvolution } from './live.js';
import { mustBeLoaded } from './seen.js';
import { attention, convolution, pointwise } from './sums.js';

/**
 * @import { Layer } from './layers.js'
 * @import { Spot, Window } from './sums.js'
 */

const box = $('u-sum'), windowBox = $('u-window'), heads = $('u-heads'), field = fields('unet-input');
/** @type {Map<string, Float32Array>} of the model that is looked at */ const tensors = new Map();
/** @type {unknown} */ let tensorsOf = null;
/** @type {Chart | null} */ let chart = null;
/** @type {Window[]} */ let windows = [];
let ends = { bias: 0, total: 0 }; // of the sum over them
let asked = 0;

field.channel.addEventListener('input', () => showWindow(field.channel.valueAsNumber));
$('unet-input').addEventListener('submit', (event) => event.preventDefault());

/** Tensors of one role, stacked as the layer's outputs are. */
async function stacked(/** @type {Layer} */ { seen, operation }, /** @type {string} */ role) {
  if (tensorsOf !== seen.model) { tensors.clear(); tensorsOf = seen.model; }
  mustBeLoaded(seen);
  const parts = [];
  for (const name of operation.tensors.filter((one) => one.endsWith(role))) {
    const tensor = tensors.get(name) ?? await pollen.tensor(name);
    tensors.set(name, tensor);
    parts.push(tensor);
  }
  if (parts.length === 1) return parts[0];
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

/**
 * @param {Layer} layer
 * @param {Spot} spot
 * @param {string} [input] channel that is shown of the sum, else the one that adds most
 */
export async function showSum(layer, spot, input) {
  const mine = ++asked, { operation, inputs, result } = layer, [, h, w] = operation.shape;
  const computed = result.values[(spot.channel * h + spot.y) * w + spot.x];
  windowBox.hidden = heads.hidden = true;
  clearLive();
  let formula = '';
  /** @type {number | null} */ let total = null;
  if (operation.operation === 'conv2d' || operation.operation === 'linear') {
    const weight = await stacked(layer, 'weight'), bias = await stacked(layer, 'bias');
    if (mine !== asked) return;
    const made = convolution(operation, inputs[0], { weight, bias }, spot);
    ({ windows, total } = made);
    ends = made;
    formula = `bias ${figure(made.bias)} and the sums of ${counted(windows.length, 'input channel')}, ${figure(total - made.bias)} together`;
    showWindows(operation.numbers.kernel ?? 1, input);
  } else if (operation.operation === 'attention') {
    const made = attention(operation.numbers.heads, inputs[0].values, operation.shape, spot);
    total = made.total;
    formula = `the values of ${counted(h * w, 'pixel')}, each times how much this pixel looks at it, in head ${made.head + 1} of ${made.maps.length}`;
    showHeads(made.maps, layer, spot);
    liveAttention(made.maps[made.head], inputs[0].values.subarray((2 * operation.shape[0] + spot.channel) * h * w), total);
  } else if (operation.operation === 'add' && inputs.length === 1) {
    const label = layer.seen.input.classLabels?.[0] ?? 0, width = operation.shape[0], table = await stacked({ ...layer, operation: layer.seen.all[operation.inputs[1]] }, 'weight');
    if (mine !== asked) return;
    const own = inputs[0].values[spot.channel], row = table[label * width + spot.channel];
    total = own + row;
    formula = `${figure(own)} of the time and ${figure(row)} of class ${label}`;
  } else {
    const made = pointwise(operation, inputs, spot);
    total = made?.total ?? null;
    if (made) formula = written(operation, made.terms.map(([, value]) => value));
  }
  $('u-formula').textContent = formula ? `It is ${formula}.` : '';
  const gives = { made: total === null ? '–' : figure(total), computed: figure(computed), off: total === null ? '–' : figure(Math.abs(total - computed)) };
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll('[data-v]'))) node.textContent = gives[/** @type {keyof typeof gives} */ (node.dataset.v)];
  Object.assign(box.dataset, { place: layer.place, total, computed });
  box.hidden = false;
}

/**
 * What an operation does to the numbers that it read.
 * @param {import('../../api/types.js').NetworkOperation} operation
 * @param {number[]} terms
 */
function written({ operation, numbers }, terms) {
  const [a, b, c] = terms.map(figure), name = ['the number itself', 'SiLU', 'Mish', 'GELU', 'ReLU'][numbers.function];
  switch (operation) {
    case 'activation': return `${name} of ${a}${numbers.function === 1 ? `, x / (1 + e⁻ˣ)` : ''}`;
    case 'affine': return `${b} · ${a} + ${c}: the number, scaled and moved as the mean and the spread of its group and what was learned say`;
    case 'add': return numbers.scale === 1 ? `${a} + ${b}` : `(${a} + ${b}) · ${figure(numbers.scale)}`;
    case 'add_channels': return `${a} + ${b}, the same at every pixel of the channel: what the timestep and the class have to say`;
    case 'concat': return `${a}, handed on as it is`;
    case 'upsample': return `${a}, the pixel of half the size that lies here`;
    case 'pool': return `the mean of ${terms.map(figure).join(', ')}`;
    default: return `${figure(numbers.scale)} · ${a} + ${figure(numbers.offset)}`;
  }
}

/** What each input channel adds, and one of them number by number: that which adds most. */
function showWindows(/** @type {number} */ kernel, /** @type {string | undefined} */ input) {
  windowBox.hidden = false;
  windowBox.dataset.kernel = String(kernel);
  $('u-contributions').hidden = windows.length === 1;
  chart ??= new Chart($('u-contributions'), {
    name: 'What each input channel adds',
    x: { label: 'input channel', read: (channel) => `channel ${channel}` },
    y: { label: 'adds', from: 0, read: figure },
    compact: true,
    onPick: (channel) => { showWindow(channel); touch(field.channel); },
  });
  if (windows.length > 1) chart.draw({ x: windows.map((_, i) => i), series: [{ name: 'sum of the products', y: windows.map(({ sum }) => sum), look: 'area' }] });
  field.channel.max = String(windows.length - 1);
  let most = 0;
  for (const [i, { sum }] of windows.entries()) if (Math.abs(sum) > Math.abs(windows[most].sum)) most = i;
  field.channel.defaultValue = String(most);
  showWindow(Number(input ?? most));
  if (input !== undefined) touch(field.channel);
}

/** @param {number} wanted input channel */
function showWindow(wanted) {
  const channel = Math.min(windows.length - 1, Math.max(0, Math.round(wanted) || 0)), { inputs, weights, sum } = windows[channel];
  if (windows.length > 1) chart?.cursor(channel);
  if (document.activeElement !== field.channel) field.channel.value = String(channel);
  const kernel = Math.sqrt(inputs.length);
  const grid = (/** @type {string} */ name, /** @type {number[]} */ numbers) => {
    const table = make('table', { className: 'numbers' }), rgba = signed(numbers, 0);
    table.append(make('caption', { textContent: name }));
    for (let row = 0; row < kernel; row++) {
      const line = table.insertRow();
      for (let column = 0; column < kernel; column++) {
        const cell = line.insertCell(), at = row * kernel + column;
        cell.textContent = figure(numbers[at]);
        cell.style.setProperty('--mark', `rgb(${rgba.subarray(4 * at, 4 * at + 3).join(' ')})`);
      }
    }
    return table;
  };
  const sign = (/** @type {string} */ text) => make('span', { className: 'sign', textContent: text });
  $('u-tables').replaceChildren(grid('what the layer read', inputs), sign('×'), grid('weights', weights), sign('='), grid('products', inputs.map((input, i) => input * weights[i])));
  liveConvolution(ends.bias, ends.total, windows[channel], { channel, of: windows.length });
  $('u-window-sum').textContent = `Input channel ${channel} adds ${figure(sum)}.`;
}

/** Where the picked pixel looks, head by head. */
function showHeads(/** @type {Float64Array[]} */ maps, /** @type {Layer} */ { operation: { shape: [, height, width] } }, /** @type {Spot} */ { x, y }) {
  heads.hidden = false;
  heads.replaceChildren(...maps.map((map, head) => {
    const figureOf = make('figure', { className: 'picture' }), canvas = make('canvas', { width, height }), rgba = signed(map);
    rgba.set([255, 255, 255, 255], 4 * (y * width + x));
    drawGrid(canvas, rgba, { width, height });
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Where the pixel in column ${x}, row ${y} looks, head ${head + 1}`);
    let most = 0;
    for (const [p, weight] of map.entries()) if (weight > map[most]) most = p;
    figureOf.append(canvas, make('figcaption', { textContent: `Head ${head + 1}: most, ${(100 * map[most]).toFixed(0)} %, at column ${most % width}, row ${Math.floor(most / width)}` }));
    return figureOf;
  }));
}
