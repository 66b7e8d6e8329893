// Times of kernels as the page shows them: of one, and of all that are the same.
import { figure, percent } from '../../ui/numbers.js';

/**
 * @import { PassTimes } from '../../api/types.js'
 *
 * @typedef {object} Group all dispatches of a kernel in a pass
 * @property {string} kernel
 * @property {number} dispatches
 * @property {number | null} ms of all of them; null where nothing tells
 * @property {number | null} share of the pass
 * @property {number} flops
 */

/** A time, where it is more than the clock's rounding leaves open. */
const known = (/** @type {number | null} */ ms, /** @type {number} */ error) => (ms !== null && ms > 2 * error ? ms : null);

/** Part of a whole, in percent; a small part is not nothing. */
export const part = (/** @type {number} */ share) => (share > 0 && share < 0.005 ? 'under 1 %' : percent(share));

/** Milliseconds, or seconds where they are many. */
export const took = (/** @type {number} */ ms) => (ms < 1e4 ? `${figure(ms)} ms` : `${figure(ms / 1000)} s`);

/**
 * The time of the kernel that writes the result of an operation; empty where it is not known.
 * @param {PassTimes} times
 * @param {number} place of the operation
 */
export function timeOf({ kernels, span }, place) {
  const found = kernels.find((one) => one.place === place), ms = found ? known(found.ms, found.error) : null;
  return ms === null ? '' : `${took(ms)}${span ? `, ${part(ms / span)} of the pass` : ''}`;
}

/**
 * The kernels of a pass by name, those first that take longest.
 * @param {PassTimes} times
 * @returns {Group[]}
 */
export function groups({ kernels, span }) {
  const all = Map.groupBy(kernels, ({ kernel }) => kernel ?? 'preparing others'), sum = (/** @type {number[]} */ values) => values.reduce((total, value) => total + value, 0);
  return [...all].map(([kernel, same]) => {
    const ms = same.some((one) => one.ms === null) ? null : known(sum(same.map((one) => one.ms ?? 0)), Math.hypot(...same.map(({ error }) => error)));
    return { kernel, dispatches: same.length, ms, share: ms !== null && span ? ms / span : null, flops: sum(same.map(({ flops }) => flops)) };
  }).sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0) || b.flops - a.flops);
}

/** How the kernels were timed, in a sentence or two. @param {PassTimes} times */
export function clockOf({ clock, grain, passes }) {
  if (clock === null) return 'This adapter has no timestamps, or they contradict the clock: what each kernel takes is not known here.';
  const by = clock === 'timestamps' ? 'the device’s own timestamps' : 'the browser’s clock';
  const count = passes === 1 ? 'one pass' : `${passes} passes`;
  return (grain ?? 0) > 2000
    ? `By ${by}, which this browser rounds to ${figure((grain ?? 0) / 1000)} µs: means of ${count}. A dash is what is too short to tell.`
    : `By ${by}: ${passes === 1 ? '' : 'medians of '}${count} in which every kernel was timed by itself.`;
}
