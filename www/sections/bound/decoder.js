// The discretised decoder: what a Gaussian makes of the 256 values that a pixel can have.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $, values } from '../../ui/dom.js';
import { handlesOn } from '../../ui/handles.js';
import { figure } from '../../ui/numbers.js';
import { complain } from '../../ui/runs.js';
import { carry, numbersOf } from '../carried.js';
import { onMeasured } from '../likelihood.js';
import { gaussiansAt, pixelPicker } from './picker.js';

/** @import { Measured } from '../likelihood.js' */

const HALF = 1 / 255; // of a bucket
const BESIDE = 8; // buckets that are drawn beside what counts
const ALL = 1.15; // of x where all buckets are drawn

let mean = -0.2, deviation = 0.15, byte = 110;
/** @type {[number, number]} */ let range = [-ALL, ALL];
let highest = 1, asked = 0, own = false; // the Gaussian is the visitor's
const keep = carry('decoder.gaussian', (text) => {
  const [m, d, value, from, to] = numbersOf(text, 5) ?? [];
  if (!(d > 0 && to > from && value >= 0 && value <= 255)) return false;
  byte = Math.round(value);
  range = [from, to];
  change(m, d);
  return true;
});
/** The address has it once it is let go. */
const note = () => keep(own ? [mean, deviation, byte, ...range].join() : '');
/** @type {Measured | null} */ let measured = null;

const chart = new Chart($('decoder-chart'), {
  name: 'Probability of each of the 256 values', x: { label: 'value of the pixel', read: (x) => `byte ${Math.min(255, Math.max(0, Math.round((x + 1) * 127.5)))}` }, y: { label: 'probability', from: 0 },
  onLayout: handlesOn([
    {
      name: 'Mean of the Gaussian', look: 'noise', read: (value) => `mean ${figure(value)}`, at: () => ({ x: mean, y: highest, value: mean }),
      range: () => ({ min: -ALL, max: ALL, step: (range[1] - range[0]) / 200 }), drag: (x) => change(x, deviation), set: (value) => change(value, deviation),
    },
    {
      name: 'Deviation of the Gaussian', look: 'noise width', read: (value) => `standard deviation ${figure(value)}`, at: () => ({ x: Math.min(range[1], mean + deviation), y: highest * Math.exp(-0.5), value: deviation }),
      range: () => ({ min: 5e-4, max: 1, step: (range[1] - range[0]) / 400 }), drag: (x) => change(mean, x - mean), set: (value) => change(mean, value),
    },
  ]),
});

export function startDecoder() {
  pollen.ready.then(draw, () => {});
  for (const name of ['pointerup', 'keyup']) $('decoder-chart').addEventListener(name, note);
  const picker = pixelPicker('decoder-form', ({ index, x, y }) => {
    if (!measured) return;
    const { p } = gaussiansAt(measured, 1, index);
    byte = Math.round((measured.image[index] + 1) * 127.5);
    [mean, deviation] = [p.mean, Math.sqrt(p.variance)];
    own = false;
    frame();
    draw();
    note();
    $('decoder-caption').textContent = `The network’s p(x₀ | x₁) of pixel ${x}, ${y} of ${measured.title}, whose value is ${byte} of 255.`;
  });
  onMeasured((made) => {
    if (!made.values.has(1)) return;
    measured = made;
    picker.show(made, 1);
    const { nats, bitsPerDim } = /** @type {import('../../api/types.js').BoundTerm} */ (made.terms.get(1)), count = made.image.length;
    let sum = 0;
    for (let i = 0; i < count; i++) sum += gaussiansAt(made, 1, i).nats;
    put({ sum: `${figure(sum / (count * Math.LN2))} bits/dim, ${figure(sum)} nats`, first: `${figure(bitsPerDim)} bits/dim, ${figure(nats)} nats` });
    for (const row of document.querySelectorAll('#decoder [data-measured]')) row.removeAttribute('hidden');
  });
}

/** Shows what counts of the buckets. */
function frame() {
  const reach = Math.max(5 * deviation, Math.abs(byte / 127.5 - 1 - mean)) + 2 * BESIDE * HALF;
  range = reach > 0.8 ? [-ALL, ALL] : [Math.max(-ALL, mean - reach), Math.min(ALL, mean + reach)];
}

/**
 * @param {number} m
 * @param {number} d
 */
function change(m, d) {
  mean = Math.min(ALL, Math.max(-ALL, m));
  deviation = Math.min(1, Math.max(5e-4, d));
  own = true;
  $('decoder-caption').textContent = 'A Gaussian of your own.';
  draw();
}

function put(/** @type {Record<string, string>} */ found) {
  for (const node of values('decoder')) if (node.dataset.v && node.dataset.v in found) node.textContent = found[node.dataset.v];
}

async function draw() {
  const mine = ++asked, now = { mean, deviation };
  /** @type {Float64Array} */ let nats;
  try { nats = await pollen.decoderNats(now); } catch (error) { return complain(error); }
  if (mine !== asked) return;
  // Each bucket is two points, its ends; those at the edges go on for ever.
  const x = [], all = [], own = [];
  highest = 0;
  for (let value = 0; value < 256; value++) {
    const from = value ? value / 127.5 - 1 - HALF : -ALL, to = value < 255 ? value / 127.5 - 1 + HALF : ALL;
    if (to < range[0] || from > range[1]) continue;
    const probability = Math.exp(-nats[value]), gap = value === byte ? 0 : NaN;
    highest = Math.max(highest, probability);
    x.push(Math.max(range[0], from), Math.min(range[1], to));
    all.push(probability, probability);
    own.push(probability + gap, probability + gap);
  }
  chart.draw({ x, range, series: [{ name: 'probability', look: 'area', y: all }, { name: `of the pixel’s own value, ${byte}`, look: 'area own', y: own }] });
  const lower = byte === 0 ? '−∞' : figure(byte / 127.5 - 1 - HALF), upper = byte === 255 ? '∞' : figure(byte / 127.5 - 1 + HALF);
  put({ mean: figure(now.mean), deviation: figure(now.deviation), lower, upper, probability: figure(Math.exp(-nats[byte])), cost: `${figure(nats[byte] / Math.LN2)} bits, ${figure(nats[byte])} nats`, byte: String(byte) });
}
