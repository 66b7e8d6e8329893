// Every schedule beside the others, of the same length: when each of them destroys the picture.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $, make } from '../../ui/dom.js';
import { guessed, onGuess, settle } from '../../ui/guess.js';
import { complain } from '../../ui/runs.js';

/** @import { ScheduleOptions, Schedule } from '../../api/types.js' */

/** @type {[NonNullable<ScheduleOptions['schedule']>, string, import('../../ui/chart.js').Series['look']][]} */
const ALL = [['linear', 'linear', 'bold'], ['scaled_linear', 'linear in √β', 'line'], ['geometric', 'geometric', 'thin'], ['sigmoid', 'sigmoid', 'dashed'], ['cosine', 'cosine', 'dotted']];

const fold = $('schedules', HTMLDetailsElement);
const chart = new Chart($('schedules-chart'), {
  name: 'ᾱ of every schedule', x: { label: 'timestep t', from: 0, read: (t) => `t = ${t}` }, y: { label: 'ᾱ, share of the picture’s variance left', from: 0 },
});
/** @type {ScheduleOptions | null} */ let options = null;

const again = () => { if (options) showSchedules(options); };
fold.addEventListener('toggle', again);
onGuess('schedule', again);

/**
 * Draws them where the visitor has opened the fold and guessed.
 * @param {ScheduleOptions} settings whose length and βs hold for all
 */
export async function showSchedules(settings) {
  options = settings;
  if (!fold.open || !guessed('schedule')) return;
  const { steps, betaStart, betaEnd } = settings;
  /** @type {Schedule[]} */ let all;
  try {
    all = await Promise.all(ALL.map(([schedule]) => pollen.schedule({ schedule, steps, betaStart, betaEnd })));
  } catch (error) { return complain(error); }
  if (options !== settings) return;
  chart.draw({ x: Float64Array.from(all[0].alphaBar, (_, t) => t), series: ALL.map(([, name, look], i) => ({ name, look, y: all[i].alphaBar })) });
  const halves = all.map(({ alphaBar }) => alphaBar.findIndex((left) => left <= 0.5)), first = Math.min(...halves.filter((t) => t > 0)), at = halves.indexOf(first);
  $('schedules-halves').replaceChildren(...ALL.map(([, name], i) => {
    const row = make('div');
    row.append(make('dt', { textContent: name }), make('dd', { textContent: halves[i] < 0 ? 'never' : `t = ${halves[i]}` }));
    return row;
  }));
  if (at < 0) settle('schedule', null, 'With these β half of the variance is never noise, whatever the schedule.');
  else settle('schedule', ALL[at][0], `Half of the variance is noise from t = ${first} on with “${ALL[at][1]}”, before all others: its curve falls through 0.5 furthest left.`);
}
