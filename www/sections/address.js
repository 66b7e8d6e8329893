// Every setting of the page in its address: those of the reverse chain by their names, the others as section.name, where they
// are not what they were at first.
import { $ } from '../ui/dom.js';
import { complain } from '../ui/runs.js';
import { samplersKnown } from '../ui/samplers.js';

/** @import { Field } from '../ui/dom.js' */

const FORMS = { forward: 'forward-form', between: 'between-form', fill: 'fill-form', branch: 'branch-form', inversion: 'inversion-form', walk: 'walk-form', square: 'square-form', grid: 'grid-form', arrows: 'arrows-form', race: 'race-form', train: 'train-form', bound: 'bound-form', kl: 'kl-form', decoder: 'decoder-form', ideal: 'ideal-denoiser-form', plane: 'plane-form', speed: 'speed-form', film: 'film-form' };
let own = ''; // the fragment that the page wrote last: going back to it changes nothing
/** @type {Record<string, unknown> | null} */ let reverse = null; // settings of the reverse chain, once a visitor has touched them

let arrived = () => {};

/** The settings in the address; empty where it names a section or nothing. */
export const linked = () => new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');

const atFirst = linked(); // a chain may have written its settings there before all sections have begun

/** Whether settings are among them of which a picture is made. */
export const ofReverse = (/** @type {URLSearchParams} */ wanted) => [...wanted.keys()].some((name) => !name.includes('.'));

const pairs = (/** @type {Record<string, unknown>} */ options) => Object.entries(options).map(([name, value]) => [name, String(value ?? 'any')]);

export const fragment = (/** @type {Record<string, unknown>} */ options) => `#${new URLSearchParams(pairs(options))}`;

/** Whether the reverse chain's settings are in it. */
export const inAddress = () => reverse !== null;

/** @param {Record<string, unknown>} options of the reverse chain */
export function putIntoAddress(options) {
  reverse = options;
  write();
}

/** @returns {[string, Field][]} */
function settings() {
  return Object.entries(FORMS).flatMap(([section, id]) => [.../** @type {Iterable<Field>} */ ($(id, HTMLFormElement).elements)]
    .filter((field) => field.name && kind(field) !== 'file')
    .map((field) => /** @type {[string, Field]} */ ([`${section}.${field.name}`, field])));
}

const kind = (/** @type {Field} */ field) => String(field.type);

const valueOf = (/** @type {Field} */ field) => (kind(field) === 'checkbox' ? String(field.checked) : field.value);

function untouched(/** @type {Field} */ field) {
  if (kind(field) === 'checkbox') return field.checked === field.defaultChecked;
  if (!field.options) return field.value === field.defaultValue;
  const first = [...field.options].find(({ defaultSelected }) => defaultSelected) ?? field.options[0];
  return !first || field.value === first.value;
}

/** Those of a section that are not as they were at first. */
export const changed = (/** @type {string} */ section) => Object.fromEntries(settings()
  .filter(([name, field]) => name.startsWith(section) && !untouched(field)).map(([name, field]) => [name, valueOf(field)]));

function write() {
  const all = { ...reverse, ...changed('') };
  own = Object.keys(all).length ? fragment(all) : '';
  if (own || location.hash.includes('=')) history.replaceState(null, '', own || location.pathname + location.search);
}

export function startAddress() {
  document.addEventListener('change', ({ target }) => {
    if (settings().some(([, field]) => field === target)) write();
  });
  samplersKnown.then(() => open(atFirst, reverse ?? undefined), () => {});
  addEventListener('hashchange', () => {
    if (!location.hash.includes('=') || location.hash === own) return;
    open(linked());
    if (ofReverse(linked())) arrived();
  });
}

/** @param {() => void} listener hears of a link to a picture that is opened on the page */
export const onLink = (listener) => { arrived = listener; };

/**
 * Puts settings that are not the reverse chain's into their fields.
 * @param {URLSearchParams} wanted
 * @param {Record<string, unknown>} [taken] of the reverse chain, where they have been taken up already
 */
export function open(wanted, taken) {
  own = location.hash;
  if (ofReverse(wanted)) reverse = taken ?? Object.fromEntries([...wanted].filter(([name]) => !name.includes('.')));
  const fields = new Map(settings()), /** @type {string[]} */ refused = [];
  for (const [name, value] of wanted) {
    const field = fields.get(name);
    if (!name.includes('.')) continue;
    if (field && kind(field) === 'range') field.dispatchEvent(new CustomEvent('restore', { detail: value })); // its range may be on its way
    else if (!field || !put(field, value)) refused.push(`${name} “${value}”`);
    else field.dispatchEvent(new Event('change', { bubbles: true }));
  }
  if (refused.length) complain(`The link asks for ${refused.join(', ')}, which this page does not have. The fields show what stands instead.`);
}

/**
 * Puts a value into a field, unless that does not take it.
 * @param {Field} field an input, a select or radio buttons
 * @param {string} value
 */
export function put(field, value) {
  const before = valueOf(field);
  if (kind(field) === 'checkbox') field.checked = value === 'true'; else field.value = value;
  const typed = kind(field) === 'number', taken = typed ? field.value !== '' && Number(field.value) === Number(value) && field.checkValidity() : valueOf(field) === value;
  if (!taken && kind(field) !== 'checkbox') field.value = before;
  return taken;
}
