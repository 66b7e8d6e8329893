// The variational bound of the visitor's picture under the chosen network, term by term as a bar chart.
import { pollen } from '../api/pollen.js';
import { adapterName, complain, number, run, say } from '../ui/runs.js';
import { seconds } from '../ui/numbers.js';
import { pixels } from '../files/picture.js';
import { figure, superscript } from '../ui/curves.js';
import { picture } from './forward.js';
import { load } from './models/shelf.js';

const DECADES = 8; // of the axis at most

const $ = (id) => document.getElementById(id);
const form = $('bound-form'), canvas = $('bound-canvas');
let shown = { terms: [], count: 0 }; // what the chart shows: L_{t−1} from t = T down, of `count` to come

export function startLikelihood() {
  form.addEventListener('submit', (event) => { event.preventDefault(); measure(); });
  new ResizeObserver(draw).observe(canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}

/** The class of part 2; null is any. */
export function chosenClass() {
  const label = $('r-class').value;
  return label === 'any' ? null : Number(label);
}

/** The visitor's picture as the network takes it, [C, H, W]; bytes as v/127.5 − 1. */
export function asNetwork(square) {
  const { channels, height, width } = pollen.model;
  if (height !== width || ![1, 3].includes(channels)) {
    throw new Error(`The network takes ${width} × ${height} pictures of ${channels} channels; only square ones, grey or in colour, can be made of yours.`);
  }
  return pixels(square, width, channels);
}

async function measure() {
  let timesteps, seed;
  try { [timesteps, seed] = [number(form.elements.timesteps), number(form.elements.seed)]; } catch (error) { return complain(error); }
  const { square, title } = picture();
  const result = await run(async (report) => {
    await load(report);
    const count = Math.min(timesteps, pollen.model.trainSteps);
    shown = { terms: [], count };
    const doing = `Measuring the bound of ${title} on ${adapterName()}.`;
    report(0, count, doing, `timestep 0 of ${count}`);
    let prior;
    return pollen.likelihood({
      image: asNetwork(square), timesteps: count, seed, class: chosenClass(),
      onTerm: (term) => {
        if (!prior) prior = term;
        else shown.terms.push(term);
        report(shown.terms.length, count, doing, `timestep ${shown.terms.length} of ${count}`);
        show(prior, shown.terms, title);
      },
    });
  });
  if (!result) return;
  const T = pollen.model.trainSteps;
  const from = result.estimate ? `an unbiased estimate from ${shown.count} of ${T} timesteps` : `all ${T} timesteps`;
  say(`Done: ${figure(result.bitsPerDim)} bits a value at most for ${title}, ${from}, in ${seconds(1000 * result.seconds)} on ${adapterName()}.`);
}

/** Bars and sums of what has been measured so far. */
function show(prior, terms, title) {
  const sum = (list, unit) => list.reduce((sum, term) => sum + term.weight * term[unit], 0);
  const rows = { prior: [prior], between: terms.filter(({ t }) => t > 1), first: terms.filter(({ t }) => t === 1), total: [prior, ...terms] };
  for (const node of $('bound-values').querySelectorAll('[data-v]')) {
    const list = rows[node.dataset.v];
    node.textContent = list.length ? `${figure(sum(list, 'bitsPerDim'))} bits/dim, ${figure(sum(list, 'nats'))} nats` : '–';
  }
  const last = terms.at(-1);
  $('bound-caption').textContent = `Lₜ₋₁ of ${title}, in bits/dim at each timestep visited`;
  canvas.setAttribute('aria-label', last
    ? `Bar chart: bits/dim of each timestep of ${title}, from ${figure(terms[0].bitsPerDim)} at t = ${terms[0].t} to ${figure(last.bitsPerDim)} at t = ${last.t}`
    : `Bar chart: bits/dim of each timestep of ${title}, none measured yet`);
  draw();
}

function draw() {
  const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const g = canvas.getContext('2d'), style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue(name);
  g.scale(ratio, ratio);
  g.font = `12px ${style.fontFamily}`;
  const { terms, count } = shown, logs = terms.map(({ bitsPerDim }) => Math.log10(bitsPerDim)).filter(Number.isFinite);
  const high = Math.ceil(Math.max(-1, ...logs)), low = Math.max(high - DECADES, Math.floor(Math.min(high - 3, ...logs)));
  const plot = { left: 38, right: width - 4, top: 10, bottom: height - 34 };
  const y = (log) => plot.bottom - ((plot.bottom - plot.top) * (Math.max(low, log) - low)) / (high - low);
  g.textAlign = 'right';
  g.textBaseline = 'middle';
  for (let decade = low; decade <= high; decade++) {
    g.fillStyle = colour('--line');
    g.fillRect(plot.left, y(decade), plot.right - plot.left, 1);
    g.fillStyle = colour('--soft');
    g.fillText(`10${superscript(decade)}`, plot.left - 5, y(decade));
  }
  g.textAlign = 'center';
  const slot = (plot.right - plot.left) / Math.max(1, count);
  let written = Infinity;
  terms.forEach(({ t, bitsPerDim }, i) => { // from T on the right down to 1
    const x = plot.right - (i + 1) * slot, top = y(Math.log10(bitsPerDim));
    g.fillStyle = colour('--accent');
    g.fillRect(x, top, Math.max(0.5, slot - (slot > 4 ? 1 : 0)), plot.bottom - top);
    const middle = Math.min(x + slot / 2, plot.right - 12);
    if (written - middle < 44 && i !== count - 1) return;
    if (i === count - 1 && written - middle < 24) return;
    written = middle;
    g.fillStyle = colour('--soft');
    g.fillText(t, middle, plot.bottom + 11);
  });
  g.fillStyle = colour('--soft');
  g.fillText('timestep t', (plot.left + plot.right) / 2, height - 8);
}
