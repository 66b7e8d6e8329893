// The run that the film shows on its model's schedule: the timesteps that its solver visited, and where the film stands.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $ } from '../../ui/dom.js';
import { counted } from '../../ui/numbers.js';
import { SAMPLERS } from '../../ui/samplers.js';
import { svg } from '../../ui/svg.js';
import { current, onFrame, pick } from './film.js';

/** @import { ScheduleOptions } from '../../api/types.js' */
/** @import { Run } from './film.js' */
/** @typedef {{ t: number, alphaBar: number, index: number }} Point where a frame of the film is */

const NEAR = 0.01; // a schedule that is not as near to the run's own ᾱ is not its
/** @type {Record<string, NonNullable<ScheduleOptions['schedule']>>} */
const NAMES = { linear: 'linear', scaled_linear: 'scaled_linear', squaredcos_cap_v2: 'cosine', sigmoid: 'sigmoid' };

/** @type {Run['steps'] | null} */ let shown = null; // of the run that is drawn
/** @type {Point[]} */ let points = [];
/** @type {ArrayLike<number>} */ let curve = []; // ᾱ for t = 0…T
const chart = new Chart($('path-chart'), {
  name: 'The run on its schedule', x: { label: 'timestep t', from: 0, read: (t) => `t = ${Number(t.toFixed(1))}` }, y: { label: 'ᾱ, share of the picture’s variance left', from: 0 },
  onPick: (t) => { const point = points.find((one) => one.t === t); if (point) pick(point.index); },
  onLayout({ x, y, svg: drawing }) {
    const line = Array.from(curve, (alphaBar, t) => `${x(t)} ${y(alphaBar)}`).slice(Math.ceil(points[0]?.t ?? 0));
    if (line.length) drawing.prepend(svg('path', { class: 'floor', d: `M${line.join('L')}` }));
  },
});

/** From the end of the film on, so that t ascends; a solver that asks twice at a timestep is there once. @param {Run} run */
function visited({ steps, frames: { last } }) {
  const frames = Array.from({ length: last + 1 }, (_, index) => {
    const { t, tNext, terms } = steps[Math.max(1, index)];
    return index ? { t: tNext, alphaBar: terms.alphaBarNext, index } : { t, alphaBar: terms.alphaBar, index };
  });
  return [...new Map(frames.map((point) => [point.t, point])).values()].sort((a, b) => a.t - b.t);
}

/** What the model's scheduler_config.json says of its schedule, where it can be read. @param {Run} run */
async function config({ model, files }) {
  const file = files?.find(({ path }) => path.endsWith('scheduler_config.json'))?.file;
  if (file instanceof Blob) return JSON.parse(await file.text());
  return model.from === 'site' ? (await fetch(`${model.path}scheduler_config.json`)).json() : {};
}

/** ᾱ of the run's schedule; nothing where what can be read of it does not lead through the run's own. @param {Run} run */
async function curveOf(run) {
  const { beta_schedule = 'linear', beta_start, beta_end, num_train_timesteps = run.model.trainSteps } = await config(run).catch(() => ({}));
  if (!NAMES[beta_schedule]) return [];
  const { alphaBar } = await pollen.schedule({ schedule: NAMES[beta_schedule], steps: num_train_timesteps, betaStart: beta_start, betaEnd: beta_end });
  const own = visited(run).every((point) => {
    const below = Math.floor(point.t), share = point.t - below, at = alphaBar[below] * (1 - share) + (share && alphaBar[below + 1] * share);
    return Math.abs(at - point.alphaBar) < NEAR;
  });
  return own ? alphaBar : [];
}

async function show() {
  const film = current();
  if (!film || !$('path', HTMLDetailsElement).open) return;
  if (shown !== film.steps) {
    shown = film.steps;
    const found = await curveOf(film).catch(() => []);
    if (shown !== film.steps) return;
    [points, curve] = [visited(film), found];
    chart.draw({ x: points.map(({ t }) => t), range: [0, Math.max(curve.length - 1, points[points.length - 1].t)], series: [{ name: 'ᾱ', y: points.map(({ alphaBar }) => alphaBar), look: 'line', mark: 'circle' }] });
    const steps = points.length - 1, noisy = points.slice(1).filter(({ alphaBar }) => alphaBar < 0.5).length, half = Array.from(curve).findIndex((alphaBar) => alphaBar < 0.5);
    $('path-note').textContent = `${SAMPLERS[film.options.sampler].title}: ${counted(steps, 'step')}, ${noisy} of them from where more than half of the variance is noise${half > 0 ? `, t = ${half} and above` : ''}. ${curve.length ? '' : 'The schedule between these points cannot be read from this model’s files.'}`;
  }
  chart.cursor(film.index ? film.numbers.tNext : film.numbers.t);
}

export function startPath() {
  onFrame(show);
  $('path').addEventListener('toggle', show);
  return show();
}
