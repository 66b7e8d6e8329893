// The KL divergence of two Gaussians: dragged, or those of a value of the measured picture.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $, values } from '../../ui/dom.js';
import { handlesOn } from '../../ui/handles.js';
import { evenly, logDensity } from '../../ui/normal.js';
import { figure } from '../../ui/numbers.js';
import { complain } from '../../ui/runs.js';
import { due } from '../address.js';
import { carry, numbersOf } from '../carried.js';
import { onMeasured } from '../likelihood.js';
import { gaussiansAt, pixelPicker } from './picker.js';

/**
 * @import { Measured } from '../likelihood.js'
 * @typedef {{ mean: number, deviation: number }} Normal
 */

const POINTS = 361; // of a curve
const REACH = 4; // deviations that are drawn

/** @type {{ P: Normal, Q: Normal }} */ let pair = { P: { mean: -0.6, deviation: 0.8 }, Q: { mean: 0.7, deviation: 1.2 } };
/** @type {[number, number]} */ let range = [0, 1];
/** @type {Measured | null} */ let measured = null;
const select = $('kl-t', HTMLSelectElement), peak = (/** @type {Normal} */ one, x = one.mean) => Math.exp(logDensity(x, one));
let asked = 0, own = false; // the Gaussians are the visitor's
/** @type {[p: string, q: string] | null} what they are, where they were measured */ let names = null;
const put = carry('kl.pair', (text) => {
  const [pm, pd, qm, qd, from, to] = numbersOf(text, 6) ?? [];
  if (!(pd > 0 && qd > 0 && to > from)) return false;
  pair = { P: { mean: pm, deviation: pd }, Q: { mean: qm, deviation: qd } };
  range = [from, to];
  ofOnesOwn();
  return true;
});
/** The address has them once they are let go: browsers let no page write there at every move. */
const note = () => put(own ? [...Object.values(pair).flatMap(({ mean, deviation }) => [mean, deviation]), ...range].join() : '');

/** The two handles of a Gaussian. @returns {import('../../ui/handles.js').Handle[]} */
const handles = (/** @type {'P' | 'Q'} */ name, /** @type {string} */ look) => [
  {
    name: `Mean of ${name}`, look, read: (value) => `mean ${figure(value)}`,
    at: () => ({ x: pair[name].mean, y: peak(pair[name]), value: pair[name].mean }),
    range: () => ({ min: range[0], max: range[1], step: (range[1] - range[0]) / 200 }),
    drag: (x) => change(name, { mean: Math.min(range[1], Math.max(range[0], x)) }), set: (mean) => change(name, { mean }),
  },
  {
    name: `Deviation of ${name}`, look: `${look} width`, read: (value) => `standard deviation ${figure(value)}`,
    at: () => ({ x: pair[name].mean + pair[name].deviation, y: peak(pair[name], pair[name].mean + pair[name].deviation), value: pair[name].deviation }),
    range: () => ({ min: (range[1] - range[0]) / 400, max: (range[1] - range[0]) / 2, step: (range[1] - range[0]) / 400 }),
    drag: (x) => change(name, { deviation: Math.max((range[1] - range[0]) / 400, x - pair[name].mean) }), set: (deviation) => change(name, { deviation }),
  },
];

const chart = new Chart($('kl-chart'), {
  name: 'Two Gaussians and the integrand of their KL divergence',
  x: { label: 'x', read: (x) => `x = ${figure(x)}` }, y: { label: 'density', from: 0 },
  onLayout: handlesOn([...handles('P', 'signal'), ...handles('Q', 'noise')]),
});

export function startKl() {
  frame();
  draw();
  pollen.ready.then(draw, () => {});
  $('kl-swap').addEventListener('click', () => {
    pair = { P: pair.Q, Q: pair.P };
    names = names && [names[1], names[0]];
    if (names) say(`P is ${names[0]} and Q is ${names[1]} now.`);
    own = true;
    draw();
    note();
  });
  for (const name of ['pointerup', 'keyup']) $('kl-chart').addEventListener(name, note);
  const picker = pixelPicker('kl-form', ({ index, x, y }) => {
    if (!measured || !select.value) return;
    const t = Number(select.value), { q, p, nats } = gaussiansAt(measured, t, index);
    pair = { P: { mean: q.mean, deviation: Math.sqrt(q.variance) }, Q: { mean: p.mean, deviation: Math.sqrt(p.variance) } };
    own = false;
    names = ['q(xₜ₋₁ | xₜ, x₀)', 'the network’s p(xₜ₋₁ | xₜ)'];
    frame();
    draw();
    note();
    say(`P is ${names[0]} and Q is ${names[1]}, of pixel ${x}, ${y} of ${measured.title} at t = ${t}: it adds ${figure(nats)} nats to Lₜ₋₁, which has ${figure(measured.terms.get(t)?.nats ?? NaN)} in all.`);
  });
  const showPicker = () => { if (measured && select.value) picker.show(measured, Number(select.value)); };
  select.addEventListener('change', showPicker);
  onMeasured((made) => {
    const timesteps = [...made.values.keys()].filter((t) => t > 1).sort((a, b) => a - b);
    if (!timesteps.length) return;
    measured = made;
    select.replaceChildren(...timesteps.map((t, i) => new Option(`t = ${t}`, String(t), ...Array(2).fill(i === timesteps.length >> 2))));
    const wanted = due('kl.t');
    if (timesteps.includes(Number(wanted))) select.value = String(wanted);
    showPicker();
  });
}

const say = (/** @type {string} */ text) => { $('kl-caption').textContent = text; };

/** What the chart shows of x. */
function frame() {
  const all = Object.values(pair);
  range = [Math.min(...all.map(({ mean, deviation }) => mean - REACH * deviation)), Math.max(...all.map(({ mean, deviation }) => mean + REACH * deviation))];
}

/**
 * A handle was moved.
 * @param {'P' | 'Q'} name
 * @param {Partial<Normal>} to
 */
function change(name, to) {
  pair = { ...pair, [name]: { ...pair[name], ...to } };
  ofOnesOwn();
}

function ofOnesOwn() {
  own = true;
  names = null;
  say('Two Gaussians of your own.');
  draw();
}

const integrand = (/** @type {number} */ x) => {
  const [p, q] = [logDensity(x, pair.P), logDensity(x, pair.Q)];
  return Math.exp(p) * (p - q);
};

/** ∫ p ln(p ⁄ q) dx by the trapezoidal rule, over all of P that counts. */
export function integral() {
  const { mean, deviation } = pair.P, x = evenly(mean - 10 * deviation, mean + 10 * deviation, 4001);
  return (x[1] - x[0]) * x.reduce((sum, at) => sum + integrand(at), 0);
}

async function draw() {
  const x = evenly(...range, POINTS);
  chart.draw({
    x, range,
    series: [
      { name: 'p ln(p ⁄ q), whose area is the divergence', look: 'area', y: x.map(integrand) },
      { name: 'P', look: 'signal', y: x.map((at) => peak(pair.P, at)) }, { name: 'Q', look: 'noise', y: x.map((at) => peak(pair.Q, at)) },
    ],
  });
  const { P, Q } = pair, mine = ++asked;
  for (const [name, one] of Object.entries(pair)) {
    for (const node of values('kl')) {
      if (node.dataset.v === `mean${name}`) node.textContent = figure(one.mean);
      if (node.dataset.v === `deviation${name}`) node.textContent = figure(one.deviation);
    }
  }
  if (!pollen.adapter) return;
  const of = (/** @type {Normal} */ { mean, deviation }) => ({ mean, variance: deviation ** 2 });
  try {
    const [there, back] = await Promise.all([pollen.gaussianKl({ p: of(P), q: of(Q) }), pollen.gaussianKl({ p: of(Q), q: of(P) })]);
    if (mine !== asked) return;
    const found = { closed: `${figure(there)} nats`, numeric: `${figure(integral())} nats`, back: `${figure(back)} nats`, result: figure(there) };
    for (const node of values('kl')) if (node.dataset.v && node.dataset.v in found) node.textContent = found[/** @type {keyof typeof found} */ (node.dataset.v)];
  } catch (error) { complain(error); }
}
