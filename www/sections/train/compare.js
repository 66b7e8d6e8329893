// The trainings of this visit, to lay one beside another: its loss in the same chart, and what was set otherwise.
import { $, fields } from '../../ui/dom.js';
import { figure, whole } from '../../ui/numbers.js';
import { smoothed } from './curve.js';

/** @import { About } from './display.js' */

/**
 * @import { Kept } from './display.js'
 * @typedef {{ about: About, losses: number[], number: number, saved?: number }} Past saved: when, of one that was kept from another visit
 */

/** The settings by name, as the page has them. @type {[keyof About, string][]} */
const SETTINGS = [
  ['title', 'pictures'], ['edge', 'picture size'], ['channels', 'channels'], ['labels', 'labels'], ['size', 'network'], ['steps', 'training steps'], ['every', 'sample every'], ['batch', 'pictures a step'], ['rate', 'learning rate'],
  ['crops', 'random windows'], ['flips', 'mirrored'], ['prediction', 'the network predicts'], ['loss', 'error of a pixel'], ['weights', 'weights of the timesteps'],
];

/** @type {Past[]} */ const past = [];
const select = $('t-compare', HTMLSelectElement), text = $('t-difference');
let changed = () => {};

/** @param {() => void} listener hears that another training was chosen */
export function startCompare(listener) {
  changed = listener;
  select.addEventListener('change', changed);
}

/** A training that another visit kept, to compare with unless it goes on. */
export function rememberKept(/** @type {Kept} */ found) {
  if (!past.length) past.push({ about: found, losses: [...found.losses], number: 1, saved: found.saved });
}

/** A training that begins: those before can be compared with it, the last one is. */
export function beginRun(/** @type {About} */ about, /** @type {number[]} */ losses) {
  if (past[past.length - 1]?.losses === losses) return; // the same, resumed
  if ('saved' in about && past[past.length - 1]?.saved === about.saved) past.pop(); // the one that was kept, going on
  const last = past[past.length - 1];
  past.push({ about, losses, number: past.length + 1 });
  select.replaceChildren(new Option('None', ''), ...past.slice(0, -1).map(({ number, about: of }) => new Option(`Training ${number}: ${of.title}, ${of.size}, rate ${of.rate}`, String(number))));
  select.value = last ? String(last.number) : '';
  /** @type {HTMLElement} */ (select.closest('.field')).hidden = !last;
}

/** The losses that are compared with, or none. */
export const compared = () => past.find(({ number }) => String(number) === select.value)?.losses;

/** What differs from the training that is compared with, in settings and in what came of it at the same step. */
export function showDifference() {
  const now = past[past.length - 1], then = past.find(({ number }) => String(number) === select.value);
  text.hidden = !now || !then;
  if (!now || !then) return;
  const others = SETTINGS.filter(([name]) => now.about[name] !== then.about[name]).map(([name, title]) => `${title} ${word(name, then.about[name])} → ${word(name, now.about[name])}`);
  const step = Math.min(now.losses.length, then.losses.length), at = (/** @type {Past} */ { losses }) => figure(smoothed(losses.slice(0, step)).at(-1) ?? NaN);
  const comparable = (/** @type {keyof About} */ name) => now.about[name] === then.about[name];
  text.textContent = `Against training ${then.number}: ${others.length ? others.join('; ') : 'the same settings'}.${step ? ` Mean loss at step ${whole(step)}: ${at(then)} then, ${at(now)} now.` : ''}`
    + `${['prediction', 'loss', 'weights'].every((name) => comparable(/** @type {keyof About} */ (name))) ? '' : ' The two losses do not measure the same.'}`;
}

/** A setting's value, as its field shows it. */
function word(/** @type {keyof About} */ name, /** @type {About[keyof About] | undefined} */ value) {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const field = fields('train-form')[name === 'size' ? 'network' : name];
  const option = field?.options && [...field.options].find((one) => one.value === String(value));
  return option?.text ?? String(value);
}
