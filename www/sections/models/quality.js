// What fewer passes of the network cost: a model's quality over passes, from the numbers in its entry.
import { Chart } from '../../ui/chart.js';
import { $ } from '../../ui/dom.js';
import { counted, figure, whole } from '../../ui/numbers.js';

/**
 * @import { Entry } from './entry.js'
 * @import { Series } from '../../ui/chart.js'
 *
 * @typedef {{ passes: number, fid: number, read: number, recall: number }} Point
 *
 * @typedef {object} Curve quality over passes of the network for one picture, as training/evaluate.py measured it
 * @property {number} count samples a point
 * @property {Omit<Point, 'passes'>} floor of as many held-out pictures
 * @property {{ of: 'student' | 'teacher', guided: boolean, fitted: boolean, points: Point[] }[]} series by passes
 */

const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const share = (/** @type {number} */ value) => (Number.isFinite(value) ? `${value.toFixed(1)} %` : figure(value));
const MEASURES = {
  fid: { label: 'FID, lower is better', read: figure, times: 1 },
  read: { label: '% read as asked, higher is better', read: share, times: 100 },
  recall: { label: '% of real pictures reached, higher is better', read: share, times: 100 },
};
/** @type {Record<string, Pick<Series, 'look' | 'mark'>>} */
const LOOKS = {
  'Fast': { look: 'bold', mark: 'circle' },
  'Fast, guided': { look: 'bold', mark: 'cross' },
  'Best': { look: 'line', mark: 'square' },
  'Best, fitted timesteps': { look: 'dashed', mark: 'diamond' },
  'Best, not guided': { look: 'thin', mark: 'triangle' },
  'Best, not guided, fitted timesteps': { look: 'thin dashed', mark: 'wedge' },
};
const box = $('quality', HTMLDetailsElement), select = $('quality-measure', HTMLSelectElement);
/** @type {{ best: Entry, fast: Entry } | null} */ let shown = null;

box.addEventListener('toggle', draw);
select.addEventListener('change', draw);

/** Shows what is known of the two ways of making a model's pictures; null: there is one way alone. */
export function showQuality(/** @type {{ best: Entry, fast: Entry } | null} */ ways) {
  box.hidden = !ways?.fast.curve;
  if (ways?.fast === shown?.fast) return;
  shown = ways;
  draw();
}

/** Once it is looked at. */
function draw() {
  const curve = shown?.fast.curve;
  if (!shown || !curve || !box.open) return;
  const measure = /** @type {keyof typeof MEASURES} */ (select.value), { label, read, times } = MEASURES[measure];
  const passes = [...new Set(curve.series.flatMap(({ points }) => points.map((point) => point.passes)))].sort((a, b) => a - b);
  const series = curve.series.map(({ points, ...kind }) => {
    const name = nameOf(kind), at = new Map(points.map((point) => [point.passes, times * point[measure]]));
    return { name, y: passes.map((count) => at.get(count) ?? NaN), ...LOOKS[name] };
  });
  const chart = new Chart($('quality-chart'), {
    name: `${select.selectedOptions[0].text} by passes of the network`,
    x: { label: 'passes for one picture', log: true, ticks: TICKS, read: (count) => counted(count, 'pass', 'passes') },
    y: { label, read },
  });
  chart.draw({
    x: passes, range: [passes[0] / 1.2, passes[passes.length - 1] * 1.2],
    series: [...series, { name: 'real pictures', y: passes.map(() => times * curve.floor[measure]), look: 'floor' }],
  });
  const begun = Object.entries(shown).map(([way, model]) => {
    const guided = (model.defaults?.guidance ?? 1) !== 1, own = curve.series.find((one) => one.of === (way === 'fast' ? 'student' : 'teacher') && one.guided === guided && !one.fitted);
    const point = own?.points.find((one) => one.passes === model.passes);
    return point ? `${way === 'fast' ? 'Fast' : 'Best'} ${read(times * point[measure])} in ${counted(point.passes, 'pass', 'passes')}` : null;
  });
  $('quality-note').textContent = `As the page begins: ${begun.filter(Boolean).join(', ')}. ${whole(curve.count)} samples a point, judged by a classifier that neither learned from.`;
}

/** @param {Omit<Curve['series'][number], 'points'>} kind */
function nameOf({ of, guided, fitted }) {
  const parts = of === 'student' ? ['Fast', guided ? 'guided' : ''] : ['Best', guided ? '' : 'not guided'];
  return [...parts, fitted ? 'fitted timesteps' : ''].filter(Boolean).join(', ');
}
