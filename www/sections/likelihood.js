// The variational bound of the visitor's picture under the chosen network, term by term as a chart.
import { pollen } from '../api/pollen.js';
import { $, fields, values } from '../ui/dom.js';
import { guessed, onGuess, settle } from '../ui/guess.js';
import { adapterName, busy, complain, number, run, say } from '../ui/runs.js';
import { asNetwork } from '../files/picture.js';
import { chosenClass } from './reverse/fields.js';
import { Chart } from '../ui/chart.js';
import { figure, seconds } from '../ui/numbers.js';
import { timed } from '../ui/pace.js';
import { chosen, load } from './models/shelf.js';

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

const later = () => Promise.all([import('./bound/subject.js'), import('./bound/live.js'), import('./bound/example.js')]).then(([subject, live, example]) => ({ ...subject, ...live, ...example }));

/** @typedef {BoundTerm & { worst: import('./bound/live.js').Worst | null }} Shown */
/** @type {{ terms: Shown[], of: { width: number, height: number, channels: number } } | null} What the chart shows. */ let shown = null;
/** @type {number | null} */ let picked = null;
let recorded = true; // no bound of the visitor's own yet
const form = $('bound-form'), field = fields('bound-form');
const chart = new Chart($('bound-chart'), {
  name: 'Bits per dimension by timestep',
  x: { label: 'timestep t', log: true, from: 1, read: (/** @type {number} */ t) => `t = ${t}` },
  y: { label: 'Lₜ₋₁, bits/dim', log: true, read: (/** @type {number} */ bits) => `${figure(bits)} bits/dim` },
  onPick: (t) => { picked = t; showTerm(); },
});
chart.draw({ x: [], series: [] });
const parts = [/** @type {HTMLElement} */ ($('bound-chart').parentElement), $('bound-values')];
for (const part of parts) part.hidden = true; // until there is something in them

export function startLikelihood() {
  form.addEventListener('submit', (event) => { event.preventDefault(); measure(); });
  document.addEventListener('picture', () => { field.picture.value = 'chain'; }); // what visitors bring is what they want to measure
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    later().catch(complain); // which shows the picture
    onGuess('bound', () => { if (recorded) showExample().catch(complain); });
    if (guessed('bound')) showExample().catch(complain);
  }, { rootMargin: '400px' });
  seen.observe(form);
}

/** What was measured before, once it does not give the answer away. */
async function showExample() {
  const { example } = await later(), { title, seed, T, terms: [prior, ...terms], ...of } = await example();
  if (!recorded) return;
  show(prior, terms, { what: `a recorded example: the first sample of ${title}, seed ${seed} of the bound`, T, of });
  judge([prior, ...terms], T, 'in the recorded example');
}

/** The guess, by the terms. */
function judge(/** @type {BoundTerm[]} */ terms, /** @type {number} */ T, /** @type {string} */ where) {
  const sum = (/** @type {(t: number) => boolean} */ of) => terms.reduce((sum, { t, weight, bitsPerDim }) => sum + (t <= T && of(t) ? weight * bitsPerDim : 0), 0);
  const last = sum((t) => t <= T / 10), early = sum((t) => t > T / 2);
  settle('bound', last > early ? 'last' : 'noise', `The last tenth of the timesteps, t = ${Math.floor(T / 10)} to 1, cost ${figure(last)} bits/dim ${where}, and all of the noisier half ${figure(early)}.`);
}

/** The term that is picked, else the one that costs most. */
function showTerm() {
  if (!shown) return;
  const { terms, of } = shown, costs = (/** @type {Shown} */ one) => one.bitsPerDim;
  const term = terms.find(({ t }) => t === picked) ?? terms.reduce((most, one) => (costs(one) > costs(most) ? one : most), terms[0]);
  if (!term) return;
  chart.cursor(term.t);
  later().then(({ liveTerm }) => { if (shown?.terms.includes(term)) liveTerm(term, term.worst, of); }).catch(complain);
}

async function measure() {
  if (busy()) return undefined;
  /** @type {number} */ let timesteps, /** @type {number} */ seed;
  try { [timesteps, seed] = [number(field.timesteps), number(field.seed)]; } catch (error) { return complain(error); }
  /** @type {Measured | null} */ let measured = null;
  let title = '';
  const entry = chosen(), result = await run(async (report) => {
    const { subject, worstOf } = await later(), of = await subject(entry);
    title = of.title;
    const model = await load(report, entry), { square } = of, count = Math.min(timesteps, model.trainSteps);
    const image = asNetwork(square, model), every = Math.ceil((count * image.length * 40) / BUDGET);
    measured = { title, image, width: model.width, height: model.height, channels: model.channels, values: new Map(), terms: new Map() };
    const into = measured, doing = `Measuring the bound of ${title} on ${adapterName()}.`;
    report(0, count, doing, `timestep 0 of ${count}`);
    /** @type {BoundTerm | null} */ let prior = null;
    /** @type {Shown[]} */ const terms = []; // L_{t−1} from t = T down
    recorded = false;
    picked = null;
    return pollen.likelihood({
      image, timesteps: count, seed, class: chosenClass(), values: true,
      onTerm: ({ values, ...term }) => {
        if (values && (term.t === 1 || terms.length % every === 0)) into.values.set(term.t, values);
        into.terms.set(term.t, term);
        if (prior) terms.push({ ...term, worst: worstOf(into, term.t) });
        prior ??= term;
        report(terms.length, count, doing, `timestep ${terms.length} of ${count}`);
        show(prior, terms, { what: title, T: model.trainSteps, of: into });
      },
    });
  });
  const made = /** @type {Measured | null} */ (measured);
  if (made?.values.size) for (const listener of listeners) listener(made);
  if (!result) return undefined;
  const T = result.terms[0].t - 1;
  judge(result.terms, T, 'here');
  timed(`bound ${entry?.id}`, result.terms.length - 1, 1000 * result.seconds);
  const from = result.estimate ? `an unbiased estimate from ${result.terms.length - 1} of ${T} timesteps` : `all ${T} timesteps`;
  say(`Done: ${figure(result.bitsPerDim)} bits/dim at most for ${title}, ${from}, in ${seconds(1000 * result.seconds)} on ${adapterName()}.`);
}

/**
 * Chart and sums of what has been measured so far.
 * @param {BoundTerm} prior
 * @param {Shown[]} terms
 * @param {{ what: string, T: number, of: { width: number, height: number, channels: number } }} about
 */
function show(prior, terms, { what, T, of }) {
  const sum = (/** @type {BoundTerm[]} */ list, /** @type {'nats' | 'bitsPerDim'} */ unit) => list.reduce((sum, term) => sum + term.weight * term[unit], 0);
  /** @type {Record<string, BoundTerm[]>} */
  const rows = { prior: [prior], between: terms.filter(({ t }) => t > 1), first: terms.filter(({ t }) => t === 1), total: [prior, ...terms] };
  for (const node of values('bound-values')) {
    const list = rows[node.dataset.v ?? ''];
    node.textContent = list.length ? `${figure(sum(list, 'bitsPerDim'))} bits/dim, ${figure(sum(list, 'nats'))} nats` : '–';
  }
  for (const part of parts) part.hidden = false;
  $('bound-caption').textContent = `Lₜ₋₁ of ${what}, in bits/dim at each timestep visited`;
  shown = { terms, of };
  const bits = (/** @type {string} */ name) => sum(rows[name], 'bitsPerDim');
  later().then(({ liveSum }) => { if (shown?.terms === terms) liveSum({ prior: bits('prior'), between: bits('between'), first: bits('first') }); }).catch(complain);
  const rising = terms.toReversed();
  chart.draw({
    x: rising.map(({ t }) => t), range: [1, T],
    series: [{ name: 'bits/dim', y: rising.map(({ bitsPerDim }) => bitsPerDim), look: 'dots' }],
  });
  showTerm();
}
