// What has no field of its own, such as a drawing or a point that is dragged, stands in the address by a hidden field.
import { touch } from '../ui/dom.js';
import { complain } from '../ui/runs.js';

/** Characters of one setting at most: an address that is much longer is cut by what it is sent through. */
export const LONGEST = 4000;

/**
 * Gives a function that puts a text there, or nothing where it is too long.
 * @param {string} setting
 * @param {(text: string) => boolean} take takes up what an address has; whether it could
 */
export function carry(setting, take) {
  const field = /** @type {HTMLInputElement} */ (document.querySelector(`[data-setting="${setting}"]`));
  let last = '';
  const hear = () => {
    const asked = field.value;
    if (asked === last) return;
    last = asked;
    if (!asked || take(asked)) return;
    last = field.value = '';
    complain(`The link asks for ${setting} “${asked.slice(0, 40)}”, which this page cannot read. What stood there stays.`);
  };
  field.addEventListener('change', hear);
  if (field.value) queueMicrotask(hear); // it was asked for before this module was there
  return (/** @type {string} */ text) => {
    const carried = text.length > LONGEST ? '' : text;
    if (carried === last) return;
    last = field.value = carried;
    touch(field);
  };
}

/** The numbers of a text that has so many, or nothing. */
export function numbersOf(/** @type {string} */ text, /** @type {number} */ count) {
  const all = text.split(',').map((one) => (one.trim() ? Number(one) : NaN));
  return all.length === count && all.every(Number.isFinite) ? all : null;
}

/** Numbers of 0…1295 in two characters each. */
export const packed = (/** @type {number[]} */ numbers) => numbers.map((one) => one.toString(36).padStart(2, '0')).join('');

/** And back, or nothing where the text is none of theirs. */
export const unpacked = (/** @type {string} */ text) => (/^([0-9a-z]{2})*$/.test(text) ? (text.match(/../g) ?? []).map((two) => parseInt(two, 36)) : null);
