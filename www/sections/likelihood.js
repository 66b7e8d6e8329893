// The variational bound of the visitor's picture under the chosen network, term by term as a chart.
import { pollen } from '../api/pollen.js';
import { adapterName, complain, number, run, say } from '../ui/runs.js';
import { asNetwork } from '../files/picture.js';
import { chosenClass } from './reverse.js';
import { Chart } from '../ui/chart.js';
import { figure, seconds } from '../ui/numbers.js';
import { picture } from './forward/forward.js';
import { load } from './models/shelf.js';

const $ = (id) => document.getElementById(id);
const form = $('bound-form');
const chart = new Chart($('bound-chart'), {
  name: 'Bits per dimension by timestep',
  x: { label: 'timestep t', log: true, from: 1, read: (t) => `t = ${t}` },
  y: { label: 'Lₜ₋₁, bits/dim', log: true, read: (bits) => `${figure(bits)} bits/dim` },
});
chart.draw({ x: [], series: [] });

export function startLikelihood() {
  form.addEventListener('submit', (event) => { event.preventDefault(); measure(); });
}

async function measure() {
  let timesteps, seed;
  try { [timesteps, seed] = [number(form.elements.timesteps), number(form.elements.seed)]; } catch (error) { return complain(error); }
  const { square, title } = picture();
  const result = await run(async (report) => {
    await load(report);
    const count = Math.min(timesteps, pollen.model.trainSteps);
    const doing = `Measuring the bound of ${title} on ${adapterName()}.`;
    report(0, count, doing, `timestep 0 of ${count}`);
    let prior = null;
    const terms = []; // L_{t−1} from t = T down
    return pollen.likelihood({
      image: asNetwork(square, pollen.model), timesteps: count, seed, class: chosenClass(),
      onTerm: (term) => {
        if (!prior) prior = term;
        else terms.push(term);
        report(terms.length, count, doing, `timestep ${terms.length} of ${count}`);
        show(prior, terms, title);
      },
    });
  });
  if (!result) return;
  const T = pollen.model.trainSteps;
  const from = result.estimate ? `an unbiased estimate from ${result.terms.length - 1} of ${T} timesteps` : `all ${T} timesteps`;
  say(`Done: ${figure(result.bitsPerDim)} bits a value at most for ${title}, ${from}, in ${seconds(1000 * result.seconds)} on ${adapterName()}.`);
}

/** Chart and sums of what has been measured so far. */
function show(prior, terms, title) {
  const sum = (list, unit) => list.reduce((sum, term) => sum + term.weight * term[unit], 0);
  const rows = { prior: [prior], between: terms.filter(({ t }) => t > 1), first: terms.filter(({ t }) => t === 1), total: [prior, ...terms] };
  for (const node of $('bound-values').querySelectorAll('[data-v]')) {
    const list = rows[node.dataset.v];
    node.textContent = list.length ? `${figure(sum(list, 'bitsPerDim'))} bits/dim, ${figure(sum(list, 'nats'))} nats` : '–';
  }
  $('bound-caption').textContent = `Lₜ₋₁ of ${title}, in bits/dim at each timestep visited`;
  const rising = terms.toReversed();
  chart.draw({
    x: rising.map(({ t }) => t), range: [1, pollen.model.trainSteps],
    series: [{ name: 'bits/dim', y: rising.map(({ bitsPerDim }) => bitsPerDim), look: 'dots' }],
  });
}
