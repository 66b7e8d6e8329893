// The variational bound of the visitor's picture under the chosen network, term by term as a chart.
import { pollen } from '../api/pollen.js';
import { $, fields, values } from '../ui/dom.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { asNetwork } from '../files/picture.js';
import { chosenClass } from './reverse/fields.js';
import { Chart } from '../ui/chart.js';
import { figure, seconds } from '../ui/numbers.js';
import { picture } from './forward/picture.js';
import { load } from './models/shelf.js';

/** @import { BoundTerm } from '../api/types.js' */

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
  const result = await run(async (report) => {
    const model = await load(report), count = Math.min(timesteps, model.trainSteps);
    const doing = `Measuring the bound of ${title} on ${adapterName()}.`;
    report(0, count, doing, `timestep 0 of ${count}`);
    /** @type {BoundTerm | null} */ let prior = null;
    /** @type {BoundTerm[]} */ const terms = []; // L_{t−1} from t = T down
    return pollen.likelihood({
      image: asNetwork(square, model), timesteps: count, seed, class: chosenClass(),
      onTerm: (term) => {
        if (prior) terms.push(term);
        prior ??= term;
        report(terms.length, count, doing, `timestep ${terms.length} of ${count}`);
        show(prior, terms, { title, T: model.trainSteps });
      },
    });
  });
  if (!result) return undefined;
  const T = result.terms[0].t - 1;
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
