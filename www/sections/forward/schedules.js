// Every schedule beside the others, of the same length: when each of them destroys the picture. And the one that the document prints.
import { pollen } from '../../api/pollen.js';
import { Chart } from '../../ui/chart.js';
import { $, make } from '../../ui/dom.js';
import { guessed, onGuess, settle } from '../../ui/guess.js';
import { counted, percent, whole } from '../../ui/numbers.js';
import { field } from './settings.js';

/** @import { ScheduleOptions, Schedule } from '../../api/types.js' */

/** @type {[NonNullable<ScheduleOptions['schedule']>, string, import('../../ui/chart.js').Series['look']][]} */
const ALL = [['linear', 'linear', 'bold'], ['scaled_linear', 'linear in √β', 'line'], ['geometric', 'geometric', 'thin'], ['sigmoid', 'sigmoid', 'dashed'], ['cosine', 'cosine', 'dotted']];

/** @typedef {{ schedule: NonNullable<ScheduleOptions['schedule']>, betaStart: number, betaEnd: number }} Betas as the fields are named */
/** @type {Betas} */ const USUAL = { schedule: 'linear', betaStart: 1e-4, betaEnd: 0.02 };
const PRINTED = { ...USUAL, betaEnd: 0.2 }; // in the document
const CURVES = [...ALL.map(([, name, look]) => ({ name, look })), { name: 'linear to β_T = 0.2, as printed', look: /** @type {const} */ ('area') }];
const NOTHING = 1e-4; // of the variance: what is left of the picture then nobody and no network sees

/** @type {import('./folds.js').Start} */
export function start(chain, goTo) {
  const chart = new Chart($('schedules-chart'), {
    name: 'ᾱ of every schedule', x: { label: 'timestep t', from: 0, read: (t) => `t = ${t}` }, y: { label: 'ᾱ, share of the picture’s variance left', from: 0 }, onPick: goTo,
  });
  const attempt = $('schedules-try', HTMLButtonElement);
  /** @type {Betas | null} */ let before = null; // what the fields held when the document's were tried

  async function show() {
    const { options } = chain, { steps, betaStart, betaEnd } = options;
    if (!guessed('schedule')) return;
    const asked = [...ALL.map(([schedule]) => ({ schedule, betaStart, betaEnd })), PRINTED, USUAL];
    const all = await Promise.all(asked.map((one) => pollen.schedule({ steps, ...one })));
    if (options !== chain.options) return; // others have come meanwhile
    chart.draw({ x: Float64Array.from(all[0].alphaBar, (_, t) => t), series: CURVES.map((curve, i) => ({ ...curve, y: all[i].alphaBar })) });
    move();
    const halves = all.map(({ alphaBar }) => alphaBar.findIndex((left) => left <= 0.5));
    $('schedules-halves').replaceChildren(...CURVES.map(({ name }, i) => {
      const row = make('div');
      row.append(make('dt', { textContent: name }), make('dd', { textContent: halves[i] < 0 ? 'never' : `t = ${halves[i]}` }));
      return row;
    }));
    $('schedules-damage').textContent = damage(all[ALL.length], all[ALL.length + 1], steps);
    attempt.textContent = isPrinted() ? `Back to ${nameOf(before ?? USUAL)}` : 'Try the document’s 0.2';
    judge(halves.slice(0, ALL.length));
  }

  const move = () => chart.cursor(chain.t);
  const isPrinted = () => Object.entries(PRINTED).every(([name, value]) => chain.options[/** @type {keyof Betas} */ (name)] === value);
  attempt.addEventListener('click', () => {
    const { t, options: { schedule = 'linear', betaStart, betaEnd } } = chain, back = isPrinted(), next = back ? before ?? USUAL : PRINTED;
    if (!back) before = { schedule, betaStart, betaEnd };
    for (const [name, value] of Object.entries(next)) field[name].value = String(value);
    field.betaEnd.dispatchEvent(new Event('change', { bubbles: true }));
    $('forward-t').dispatchEvent(new CustomEvent('restore', { detail: String(t) })); // once they are taken up
  });
  onGuess('schedule', show);
  return { show, move };
}

const nameOf = (/** @type {Betas} */ { schedule, betaEnd }) => (schedule === 'linear' ? String(betaEnd) : `“${ALL.find(([name]) => name === schedule)?.[1]}”`);

/** @param {number[]} halves the t from which half of the variance is noise, of each; −1: never */
function judge(halves) {
  const first = Math.min(...halves.filter((t) => t > 0)), at = halves.indexOf(first);
  if (at < 0) settle('schedule', null, 'With these β half of the variance is never noise, whatever the schedule.');
  else settle('schedule', ALL[at][0], `Half of the variance is noise from t = ${first} on with “${ALL[at][1]}”, before the other four: its curve falls through 0.5 furthest left.`);
}

/**
 * How many steps only stir noise as printed, and with 0.02.
 * @param {Schedule} printed
 * @param {Schedule} usual
 * @param {number} T
 */
function damage(printed, usual, T) {
  const [many, few] = [printed, usual].map(({ alphaBar }) => alphaBar.filter((left) => left < NOTHING).length);
  if (!many) return `Not with so few steps: at t = ${whole(T)} it leaves ${percent(printed.alphaBar[T])} of the picture’s variance.`;
  return `From t = ${whole(T + 1 - many)} on less than a ten thousandth of the variance is the picture’s (ᾱ < 10⁻⁴). ${whole(many)} of the ${counted(T, 'step')}, ${percent(many / T)}, only stir noise, and a network would spend as much of its training on pictures that hold nothing. With 0.02 it is ${whole(few)}.`;
}
