// How fast the device was in this visit, by kind of work, and so how long more of it takes; `document` hears of news as "timed".
import { adapterName } from './runs.js';

/** @type {Map<string, number>} */ const each = new Map(); // milliseconds for a unit
const key = (/** @type {string} */ kind) => `${kind} on ${adapterName()}`;

/**
 * @param {string} kind of work
 * @param {number} units that were done
 * @param {number} ms
 */
export function timed(kind, units, ms) {
  if (!(units > 0 && ms > 0)) return;
  each.set(key(kind), ms / units);
  document.dispatchEvent(new Event('timed'));
}

/** Milliseconds; NaN where nothing of the kind was measured here. */
export const expected = (/** @type {string} */ kind, /** @type {number} */ units) => (each.get(key(kind)) ?? NaN) * units;
