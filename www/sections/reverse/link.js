// Links to a picture: its settings in the address, written and read back.
import { complain, say } from '../../ui/runs.js';

/** @import { Field } from '../../ui/dom.js' */

const FIELDS = ['class', 'steps', 'eta', 'variance', 'guidance', 'seed', 'count', 'width', 'height'];
let own = ''; // the fragment that the page wrote last: going back to it changes nothing

/** The settings in the address; empty where it names a section or nothing. */
export const linked = () => new URLSearchParams(location.hash.includes('=') ? location.hash.slice(1) : '');

/** Whether the address was not written by this page. */
export const foreign = () => location.hash.includes('=') && location.hash !== own;

const fragment = (/** @type {Record<string, unknown>} */ options) => `#${new URLSearchParams(Object.entries(options).map(([name, value]) => [name, String(value ?? 'any')]))}`;

/** @param {Record<string, unknown>} options of the picture that was made */
export function putIntoAddress(options) {
  own = fragment(options);
  history.replaceState(null, '', own);
}

/** @param {Record<string, unknown>} options of the picture that is shown */
export async function copyLink(options) {
  const address = new URL(fragment(options), location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    say('The link is on the clipboard. Whoever opens it gets the same picture.');
  } catch {
    complain(`The browser did not let the page use the clipboard. The link is ${address}`);
  }
}

/**
 * Puts what a link asks for into the fields; gives what could not be, in words.
 * @param {URLSearchParams} wanted
 * @param {Record<string, Field>} field
 */
export function fillFrom(wanted, field) {
  own = location.hash;
  /** @type {string[]} */ const refused = [];
  for (const name of FIELDS) {
    const value = wanted.get(name);
    if (value !== null && !put(field[name], value)) refused.push(`${name} “${value}”`);
  }
  if (wanted.has('clip')) field.clip.checked = wanted.get('clip') === 'true';
  return refused;
}

/**
 * Puts a value into a field, unless that does not take it.
 * @param {Field} field an input, a select or radio buttons
 * @param {string} value
 */
function put(field, value) {
  const before = field.value;
  field.value = value;
  const typed = String(field.type) === 'number', taken = typed ? field.value !== '' && field.checkValidity() : field.value === value;
  if (!taken) field.value = before;
  return taken;
}
