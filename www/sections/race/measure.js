// How far the lanes of a race end from the exact path: that of the same noise by a solver in so many steps that more change nothing.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $, make } from '../../ui/dom.js';
import { settle } from '../../ui/guess.js';
import { counted, figure, seconds, stepsAndPasses } from '../../ui/numbers.js';
import { adapterName, busy, run, say } from '../../ui/runs.js';
import { evaluations, SAMPLERS } from '../../ui/samplers.js';
import { figureOf, row } from '../between/row.js';
import { chosen, load } from '../models/shelf.js';

/**
 * @import { Finished } from '../race.js'
 * @import { Series } from '../../ui/chart.js'
 * @typedef {{ sampler: string, steps: number, asked: number, distance: number }} Measured
 */

const FINE = 100, BY = 'dpmpp-2m'; // the exact path, and the solver that the question is about
const LADDER = [2, 5, 10], MORE = '50'; // its answers
const ENOUGH = 0.1; // apart, of values from −1 to 1: nobody tells two such pictures from each other
const EXACT = ['ddim', 'dpmpp-2m', 'unipc', 'euler', 'heun']; // those that draw no noise on their way
/** @type {Pick<Series, 'look' | 'mark'>[]} */
const LOOKS = [{ look: 'bold', mark: 'circle' }, { look: 'line', mark: 'square' }, { look: 'dashed', mark: 'diamond' }, { look: 'thin', mark: 'triangle' }, { look: 'thin dashed', mark: 'cross' }];

/** @type {Finished[]} */ let lanes = []; // of the last race
/** @type {Map<string, Measured[]>} what this visit has measured, by network and guidance */ const measured = new Map();
const chart = new Chart($('race-chart'), {
  name: 'Distance from the exact path', x: { label: 'times that the network is asked', log: true, ticks: [1, 2, 5, 10, 20, 50, 100], read: (asked) => `asked ${counted(asked, 'time')}` },
  y: { label: 'root mean square distance', log: true, read: figure },
});
$('race-measure').addEventListener('click', () => measure());

/** Why a lane has no exact path; nothing where it has one. @param {Finished} lane */
const without = ({ sampler, model }) => (!EXACT.includes(sampler) ? 'it draws noise on its way, so that there is no exact path to be near to'
  : model?.of ? 'Fast was taught to leap to the end, and follows no path' : '');

/** What lanes must have in common to be measured against the same path. @param {Finished} lane */
const kind = ({ model, settings: { scheduler: _, ...rest } }) => JSON.stringify([model?.id, rest]);

/** The lanes with a path, those with the same one together. */
const groups = () => Object.values(Object.groupBy(lanes.filter((lane) => !without(lane)), kind)).filter((group) => group !== undefined);

/** Offers the measurement for a race, and says what it costs. @param {Finished[]} finished */
export function offer(finished) {
  lanes = finished;
  $('race-exact').hidden = !lanes.length;
  $('race-picture').replaceChildren();
  const all = groups(), asked = FINE + LADDER.reduce((sum, steps) => sum + steps, 0), guided = (all[0]?.[0].settings.guidance ?? 1) !== 1;
  $('race-measure').hidden = !all.length;
  const ms = all.reduce((sum, [one]) => sum + (1000 * asked * one.seconds) / one.evaluations, 0);
  $('race-cost').textContent = all.length
    ? `It costs ${counted(FINE, 'step')} of ${SAMPLERS[BY].title} for the exact path and ${LADDER.join(', ')} more for the question${all.length > 1 ? `, for ${all.length} networks or guidances` : ''}: ${stepsAndPasses(asked, asked, guided)}${all.length > 1 ? ' each' : ''}, about ${seconds(ms)} going by this race.`
    : `No lane of this race has an exact path: ${without(lanes[0] ?? { sampler: '' })}.`;
  tell();
}

/** Step length, passes and distance of each lane beside the formula. */
function tell() {
  $('race-values').replaceChildren(...lanes.map(({ name, steps, evaluations: asked, distance, ...lane }) => {
    const line = make('div'), away = distance === undefined ? without({ name, steps, evaluations: asked, ...lane }) : `${figure(distance)} from the exact path`;
    line.append(make('dt', { textContent: name }), make('dd', { textContent: `h = 1 ⁄ ${steps} of the way, asks ${counted(asked, 'time')}${away ? `: ${away}` : ''}` }));
    return line;
  }));
  $('race-values').hidden = !lanes.length;
}

async function measure() {
  if (busy()) return;
  const began = performance.now(), all = groups(), each = FINE + LADDER.reduce((sum, steps) => sum + steps, 0);
  /** @type {Measured[]} */ let ladder = [];
  /** @type {string} */ let last = '';
  $('race-picture').replaceChildren();
  const done = await run(async (report) => {
    let before = 0;
    // The chosen network last, so that it is there afterwards.
    for (const group of all.sort(([a], [b]) => Number(a.model === chosen()) - Number(b.model === chosen()))) {
      const { model, settings: { scheduler: _, ...asked } } = group[0];
      await load(report, model);
      /** @param {number} steps @param {string} what */
      const chain = async (steps, what) => {
        const made = await pollen.generate({ ...asked, sampler: BY, steps, count: 1, onStep: ({ step }) => report(before + step, each * all.length, `${what}, on ${adapterName()}.`, `step ${step} of ${steps}`) });
        before += steps;
        return made;
      };
      const exact = await chain(FINE, 'Going along the exact path');
      const [, , height, width] = exact.shape;
      $('race-picture').append(figureOf(row(exact.rgba, { count: 1, width, height }, () => `The end of the exact path${all.length > 1 ? `, ${model?.title}` : ''}`), `Where the exact path ends, by ${counted(FINE, 'step')} of ${SAMPLERS[BY].title}.`));
      for (const lane of group) lane.distance = apart(lane.sample, exact.sample);
      ladder = [];
      for (const steps of LADDER) ladder.push({ sampler: BY, steps, asked: evaluations(BY, steps), distance: apart((await chain(steps, `${SAMPLERS[BY].title} in ${counted(steps, 'step')}`)).sample, exact.sample) });
      const { seed: __, class: ___, ...network } = asked;
      last = JSON.stringify([model?.id, network.guidance ?? 1]);
      measured.set(last, [...(measured.get(last) ?? []), ...ladder, ...group.map(({ sampler, steps, evaluations: asked, distance = NaN }) => ({ sampler, steps, asked, distance }))]);
    }
    return true;
  });
  if (!done) return;
  for (const { lane, name, text, distance } of lanes) if (distance !== undefined) lane.caption.replaceChildren(make('b', { textContent: name }), `, ${text}, ${figure(distance)} from the exact path`);
  tell();
  draw(/** @type {Measured[]} */ (measured.get(last)));
  answer(ladder);
  say(`Done: how far ${counted(lanes.filter(({ distance }) => distance !== undefined).length, 'lane')} ended from the exact path, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}

/** Of two pictures as they are drawn, within [−1, 1]. */
function apart(/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) {
  const drawn = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));
  return Math.sqrt(a.reduce((sum, value, i) => sum + (drawn(value) - drawn(b[i])) ** 2, 0) / a.length);
}

/** Every solver's distance over how often it asks, the mean where this visit has measured that more than once. @param {Measured[]} all */
function draw(all) {
  const x = [...new Set(all.map(({ asked }) => asked))].sort((a, b) => a - b), by = Object.entries(Object.groupBy(all, ({ sampler }) => sampler));
  const mean = (/** @type {Measured[]} */ points) => points.reduce((sum, { distance }) => sum + distance, 0) / points.length;
  const series = by.map(([sampler, points = []], i) => ({ name: SAMPLERS[sampler].title, y: x.map((asked) => mean(points.filter((point) => point.asked === asked))), ...LOOKS[i] }));
  $('race-distances').hidden = false;
  chart.draw({ x, range: [x[0] / 1.2, x[x.length - 1] * 1.2], series: [...series, { name: `near enough, ${ENOUGH}`, y: x.map(() => ENOUGH), look: 'floor' }] });
  const orders = by.map(([sampler, points = []]) => {
    const [few, many] = [...new Set(points.map(({ steps }) => steps))].sort((a, b) => a - b).slice(-2).map((steps) => ({ steps, distance: mean(points.filter((point) => point.steps === steps)) }));
    return many ? `${SAMPLERS[sampler].title} like h to the ${figure(Math.log(few.distance / many.distance) / Math.log(many.steps / few.steps))} from ${few.steps} to ${counted(many.steps, 'step')}` : '';
  }).filter(Boolean);
  $('race-note').textContent = `All races of this visit by this network and guidance. Measured, the distance falls: ${orders.join('; ')}.${all.some(({ sampler }) => sampler === 'ddim') ? ' Where DDIM keeps x̂₀ within [−1, 1], as the files of some models ask it to, its path is another, and more steps need not lead nearer.' : ''}`;
}

/** @param {Measured[]} ladder */
function answer(ladder) {
  const right = ladder.find(({ distance }) => distance <= ENOUGH);
  const found = ladder.map(({ steps, distance }) => `${figure(distance)} away in ${steps}`).join(', ');
  settle('race', right ? String(right.steps) : MORE, `${SAMPLERS[BY].title} ends ${found} steps from this noise${right ? '' : `, and not within ${ENOUGH}: more are needed`}. Another seed, class or guidance may need more or fewer.`);
}
