// Every setting of the page in its address: those of the reverse chain by their names, the others as section.name, where they
// are not what they were at first; before them the section that was gone to, if one was.
import { $, fits, touch } from '../ui/dom.js';
import { busy, complain } from '../ui/runs.js';
import { samplersKnown } from '../ui/samplers.js';

/** @import { Field } from '../ui/dom.js' */

const FORMS = { forward: 'forward-form', between: 'between-form', fill: 'fill-form', branch: 'branch-form', inversion: 'inversion-form', walk: 'walk-form', square: 'square-form', grid: 'grid-form', arrows: 'arrows-form', race: 'race-form', train: 'train-form', bound: 'bound-form', kl: 'kl-form', decoder: 'decoder-form', ideal: 'ideal-denoiser-form', plane: 'plane-form', speed: 'speed-form', film: 'film-form' };
let own = ''; // the settings that the page wrote last: going back to them changes nothing
/** @type {Record<string, unknown> | null} */ let reverse = null; // settings of the reverse chain, once a visitor has touched them

/** @type {() => unknown} */ let arrived = () => {};

/** The address's section, or '', and its settings: #race, #steps=5&seed=1, #race&steps=5. */
function parts() {
  const [, section, settings] = /** @type {RegExpExecArray} */ (/^#?([^=&]*(?=&|$))?&?(.*)$/.exec(location.hash));
  return { section: section ?? '', settings };
}

/** The settings in the address. */
export const linked = () => new URLSearchParams(parts().settings);

/** The section that the address asks for. */
export const place = () => parts().section;

/** Settings that were asked for and are not taken up yet: they stay in the address. */
const waiting = new Map([...linked()].filter(([name]) => name.includes('.')));

/**
 * What the address asks of a field that had nothing to show until now (`data-late`); it is asked once.
 * @param {string} name
 */
export function due(name) {
  const value = waiting.get(name);
  if (waiting.delete(name)) queueMicrotask(write); // once the field has it
  return value;
}

/**
 * A late slider has frames to show now: it goes to the one that the address asks for, else to that one, which is no setting then.
 * @param {HTMLInputElement} slider
 * @param {number} first
 */
export function toFrame(slider, first) {
  slider.defaultValue = String(first);
  slider.value = due(slider.dataset.setting ?? '') ?? String(first);
  write();
}

/** Whether settings are among them of which a picture is made. */
export const ofReverse = (/** @type {URLSearchParams} */ wanted) => [...wanted.keys()].some((name) => !name.includes('.'));

const pairs = (/** @type {Record<string, unknown>} */ options) => Object.entries(options).map(([name, value]) => [name, String(value ?? 'any')]);

/**
 * @param {Record<string, unknown>} options
 * @param {string} [at] the id of what it leads to
 */
export const fragment = (options, at) => `#${at ? `${at}&` : ''}${new URLSearchParams(pairs(options))}`;

/** Whether the reverse chain's settings are in it. */
export const inAddress = () => reverse !== null;

/** @param {Record<string, unknown>} options of the reverse chain */
export function putIntoAddress(options) {
  reverse = options;
  write();
}

/** The fields of the forms by their names, and those that have a `data-setting`. @returns {[string, Field][]} */
function settings() {
  const named = Object.entries(FORMS).flatMap(([section, id]) => [.../** @type {Iterable<Field>} */ ($(id, HTMLFormElement).elements)]
    .filter((field) => field.name && kind(field) !== 'file')
    .map((field) => /** @type {[string, Field]} */ ([`${section}.${field.name}`, field])));
  return [...named, ...[.../** @type {NodeListOf<Field>} */ (document.querySelectorAll('[data-setting]'))].map((field) => /** @type {[string, Field]} */ ([field.dataset.setting, field]))];
}

const kind = (/** @type {Field} */ field) => String(field.type);

const valueOf = (/** @type {Field} */ field) => (kind(field) === 'checkbox' ? String(field.checked) : field.value);

function untouched(/** @type {Field} */ field) {
  if ('playing' in field.dataset || (kind(field) === 'number' && !fits(field))) return true; // a film that runs is where it stops; a number that is none is no setting
  if (kind(field) === 'checkbox') return field.checked === field.defaultChecked;
  if (!field.options) return field.value === field.defaultValue;
  const first = [...field.options].find(({ defaultSelected }) => defaultSelected) ?? field.options[0];
  return !first || field.value === first.value;
}

/** Those of a section that are not as they were at first. */
export const changed = (/** @type {string} */ section) => Object.fromEntries(settings()
  .filter(([name, field]) => name.startsWith(section) && !untouched(field)).map(([name, field]) => [name, valueOf(field)]));

function write() {
  const { section, settings: before } = parts();
  own = new URLSearchParams(pairs({ ...reverse, ...Object.fromEntries(waiting), ...changed('') })).toString();
  const all = [section, own].filter(Boolean).join('&');
  if (own !== before) history.replaceState(null, '', all ? `#${all}` : location.pathname + location.search);
}

export function startAddress() {
  document.addEventListener('change', ({ target }) => {
    const [name] = settings().find(([, field]) => field === target) ?? [];
    if (!name) return;
    waiting.delete(name);
    write();
  });
  document.addEventListener('picture', write); // the forward chain's run is another
  const ofPicture = [...linked()].filter(([name]) => !name.includes('.')); // the chain may have written others there than were asked for
  samplersKnown.then(() => {
    open(new URLSearchParams([...ofPicture, ...waiting]), reverse ?? undefined);
    write();
    restoreLate();
  }, () => {});
  addEventListener('hashchange', async () => {
    const { settings: asked } = parts(), wanted = linked();
    if (asked === own) return;
    if (!asked) { write(); return; } // a section was gone to: the settings stay
    if (busy() && ofReverse(wanted)) {
      write(); // the address is that of the fields again
      complain('A run is going on. Cancel it, or wait for its end, and open the link then.');
      return;
    }
    waiting.clear();
    open(wanted);
    if (ofReverse(wanted)) await arrived();
    restoreLate();
  });
}

/** Tells the fields that are late what they are asked for: some can do it at once. */
function restoreLate() {
  for (const [name, field] of settings()) if (waiting.has(name) && field.dataset.late !== undefined) field.dispatchEvent(new Event('restore'));
}

/** @param {() => unknown} listener hears of a link to a picture that is opened on the page, and resolves once that is here */
export const onLink = (listener) => { arrived = listener; };

/**
 * Puts settings that are not the reverse chain's into their fields.
 * @param {URLSearchParams} wanted
 * @param {Record<string, unknown>} [taken] of the reverse chain, where they have been taken up already
 */
export function open(wanted, taken) {
  own = parts().settings;
  if (ofReverse(wanted)) reverse = taken ?? Object.fromEntries([...wanted].filter(([name]) => !name.includes('.')));
  const fields = new Map(settings()), /** @type {string[]} */ refused = [];
  for (const [name, value] of wanted) {
    const field = fields.get(name);
    if (!name.includes('.')) continue;
    const slides = field && kind(field) === 'range', late = field?.dataset.late !== undefined;
    if (slides && !late) field.dispatchEvent(new CustomEvent('restore', { detail: value }));
    if (late || (slides && field.value !== value)) waiting.set(name, value); else waiting.delete(name); // its range may be on its way
    if (late || slides) continue;
    if (!field || !put(field, value)) refused.push(`${name} “${value}”`);
    else touch(field);
  }
  if (refused.length) complain(`The link asks for ${refused.join(', ')}, which this page does not have. The fields show what stands instead.`);
}

/**
 * Puts a value into a field, unless that does not take it.
 * @param {Field} field an input, a select or radio buttons
 * @param {string} value
 */
export function put(field, value) {
  const before = valueOf(field), typed = kind(field) === 'number';
  if (typed && !Number.isFinite(Number(value))) return false; // the browser would say on the console that it cannot read it
  if (kind(field) === 'checkbox') field.checked = value === 'true'; else field.value = value;
  const taken = typed ? Number(field.value) === Number(value) && fits(field) : valueOf(field) === value;
  if (!taken && kind(field) !== 'checkbox') field.value = before;
  return taken;
}
