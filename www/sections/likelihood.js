// The variational bound of the visitor's picture under the chosen network, term by term as a chart.
import { pollen } from '../api/pollen.js';
import { $, fields, values } from '../ui/dom.js';
import { settle } from '../ui/guess.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { asNetwork } from '../files/picture.js';
import { chosenClass } from './reverse/fields.js';
import { Chart } from '../ui/chart.js';
import { figure, seconds } from '../ui/numbers.js';
import { picture } from './forward/picture.js';
import { load } from './models/shelf.js';

/** @import { BoundTerm } from '../api/types.js' */

/**
 * @typedef {object} Measured the Gaussians of each value of a picture
 * @property {string} title
 * @property {Float32Array} image planar, in [−1, 1]
 * @property {number} width
 * @property {number} height
 * @property {number} channels
 * @property {Map<number, Float64Array>} values by t, five for each value of the picture, as `likelihood` gives them
 * @property {Map<number, BoundTerm>} terms by t
 */

const BUDGET = 64e6; // bytes of Gaussians that are kept
/** @type {((measured: Measured) => void)[]} */ const listeners = [];

/** @param {(measured: Measured) => void} listener hears of each measurement when it ends, or is cancelled */
export const onMeasured = (listener) => listeners.push(listener);

const form = $('bound-form'), field = fields('bound-form');
const chart = new Chart($('bound-chart'), {
  name: 'Bits per dimension by timestep',
  x: { label: 'timestep t', log: true, from: 1, read: (/** @type {number} */ t) => `t = ${t}` },
  y: { label: 'Lₜ₋₁, bits/dim', log: true, read: (/** @type {number} */ bits) => `${figure(bits)} bits/dim` },
});
chart.draw({ x: [], series: [] });
const parts = [/** @type {HTMLElement} */ ($('bound-chart').parentElement), $('bound-values')];
for (const part of parts) part.hidden = true; // until there is something in them

export function startLikelihood() {
  form.addEventListener('submit', (event) => { event.preventDefault(); measure(); });
}

async function measure() {
  if (busy()) return undefined;
  /** @type {number} */ let timesteps, /** @type {number} */ seed;
  try { [timesteps, seed] = [number(field.timesteps), number(field.seed)]; } catch (error) { return complain(error); }
  const { square, title } = picture();
  /** @type {Measured | null} */ let measured = null;
  const result = await run(async (report) => {
    const model = await load(report), count = Math.min(timesteps, model.trainSteps);
    const image = asNetwork(square, model), every = Math.ceil((count * image.length * 40) / BUDGET);
    measured = { title, image, width: model.width, height: model.height, channels: model.channels, values: new Map(), terms: new Map() };
    const into = measured, doing = `Measuring the bound of ${title} on ${adapterName()}.`;
    report(0, count, doing, `timestep 0 of ${count}`);
    /** @type {BoundTerm | null} */ let prior = null;
    /** @type {BoundTerm[]} */ const terms = []; // L_{t−1} from t = T down
    return pollen.likelihood({
      image, timesteps: count, seed, class: chosenClass(), values: true,
      onTerm: ({ values, ...term }) => {
        if (values && (term.t === 1 || terms.length % every === 0)) into.values.set(term.t, values);
        into.terms.set(term.t, term);
        if (prior) terms.push(term);
        prior ??= term;
        report(terms.length, count, doing, `timestep ${terms.length} of ${count}`);
        show(prior, terms, { title, T: model.trainSteps });
      },
    });
  });
  const made = /** @type {Measured | null} */ (measured);
  if (made?.values.size) for (const listener of listeners) listener(made);
  if (!result) return undefined;
  const T = result.terms[0].t - 1, sum = (/** @type {(t: number) => boolean} */ of) => result.terms.reduce((sum, { t, weight, bitsPerDim }) => sum + (of(t) ? weight * bitsPerDim : 0), 0);
  const last = sum((t) => t <= T / 10), early = sum((t) => t > T / 2);
  settle('bound', last > early ? 'last' : 'noise', `The last tenth of the timesteps, t = ${Math.floor(T / 10)} to 1, cost ${figure(last)} bits/dim here, and all of the noisier half ${figure(early)}.`);
  const from = result.estimate ? `an unbiased estimate from ${result.terms.length - 1} of ${T} timesteps` : `all ${T} timesteps`;
  say(`Done: ${figure(result.bitsPerDim)} bits/dim at most for ${title}, ${from}, in ${seconds(1000 * result.seconds)} on ${adapterName()}.`);
}

/**
 * Chart and sums of what has been measured so far.
 * @param {BoundTerm} prior
 * @param {BoundTerm[]} terms
 * @param {{ title: string, T: number }} of
 */
function show(prior, terms, { title, T }) {
  const sum = (/** @type {BoundTerm[]} */ list, /** @type {'nats' | 'bitsPerDim'} */ unit) => list.reduce((sum, term) => sum + term.weight * term[unit], 0);
  /** @type {Record<string, BoundTerm[]>} */
  const rows = { prior: [prior], between: terms.filter(({ t }) => t > 1), first: terms.filter(({ t }) => t === 1), total: [prior, ...terms] };
  for (const node of values('bound-values')) {
    const list = rows[node.dataset.v ?? ''];
    node.textContent = list.length ? `${figure(sum(list, 'bitsPerDim'))} bits/dim, ${figure(sum(list, 'nats'))} nats` : '–';
  }
  for (const part of parts) part.hidden = false;
  $('bound-caption').textContent = `Lₜ₋₁ of ${title}, in bits/dim at each timestep visited`;
  const rising = terms.toReversed();
  chart.draw({
    x: rising.map(({ t }) => t), range: [1, T],
    series: [{ name: 'bits/dim', y: rising.map(({ bitsPerDim }) => bitsPerDim), look: 'dots' }],
  });
}
