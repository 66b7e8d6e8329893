// What a pass of the network takes, whole and kernel by kernel, out of clocks that browsers round.

import { operations } from './inside.js';

/**
 * @import { PassTimes, TimesOptions } from '../api/types.js'
 * @import { Call } from './call.js'
 *
 * @typedef {import('../wasm/pollen.js').Engine} Engine
 * @typedef {{ kernel: string | null, place: number | null, flops: number }} Dispatch
 */

const MOST = 2000; // passes
const ROUND_MS = 100; // between two looks at whether somebody has cancelled
const FINE = 2000; // nanoseconds; a clock of a coarser grain needs the mean of many passes

/**
 * @param {Engine} engine
 * @param {'gpu' | 'cpu'} device that it is on
 * @param {TimesOptions} options
 * @param {Call} call
 * @returns {Promise<PassTimes>}
 */
export async function times(engine, device, { sample, shape, timestep, classLabels, seconds = 1 }, call) {
  const [count, , height, width] = shape, given = [timestep].flat(), timesteps = Float32Array.from({ length: count }, (_, i) => given[i % given.length]);
  const labels = classLabels && Float32Array.from(classLabels), all = operations(engine, { shape }), now = () => performance.now();
  const pass = async (/** @type {number} */ again, timed = false) => {
    const from = now(), numbers = await engine.predict(sample, height, width, timesteps, labels, undefined, undefined, again, timed), ms = now() - from;
    await call.breathe();
    return { numbers, ms };
  };
  await pass(0); // makes the kernels
  const { numbers: { length }, ms: first } = await pass(0), fitting = (/** @type {number} */ ms) => Math.max(1, Math.min(256, Math.round(ROUND_MS / Math.max(ms, 0.1))));
  const few = fitting(first), repeat = first > ROUND_MS ? 1 : fitting(((await pass(few)).ms - first) / few);
  /** @type {number[]} */ const once = [first], often = [], ticks = [];
  const began = now();
  let passes = 0, wall = 0, missing = false;
  do {
    often.push((await pass(repeat)).ms);
    for (const until = now() + ROUND_MS; !missing && passes < MOST;) {
      const { numbers, ms } = await pass(0, true), stamps = new BigUint64Array(numbers.slice(length).buffer);
      missing = !stamps.length;
      for (const stamp of stamps) ticks.push(Number(stamp - stamps[0]));
      passes += missing ? 0 : 1;
      wall += ms;
      if (now() > until) break;
    }
    if (first < 5 * ROUND_MS) once.push((await pass(0)).ms);
  } while (now() - began < 1000 * seconds && passes < MOST);
  const known = all.flatMap(({ call, kernel, flops }, place) => (call === null ? [] : [{ call, kernel, flops, place }]));
  /** @type {Dispatch[]} */ const dispatches = Array.from({ length: missing ? known.length : ticks.length / passes / 2 }, () => ({ kernel: null, place: null, flops: 0 }));
  for (const { call, ...one } of known) Object.assign(dispatches[missing ? known.findIndex((other) => other.call === call) : call], one);
  // A pass more is what the longer calls took above the shorter ones, which also plan it and read its result back.
  const long = median(often), short = median(once);
  return { ms: long > short ? (long - short) / repeat : long / (repeat + 1), call: short, passes: passes || often.length * repeat, ...byKernel(dispatches, missing ? null : ticks, wall, device) };
}

/**
 * The kernels' times, out of when each began and ended in every pass.
 * @param {Dispatch[]} kernels
 * @param {number[] | null} stamps in nanoseconds, pass after pass
 * @param {number} wall milliseconds in which all this was done
 * @param {'gpu' | 'cpu'} device
 * @returns {Pick<PassTimes, 'clock' | 'grain' | 'span' | 'kernels'>}
 */
export function byKernel(kernels, stamps, wall, device) {
  const each = kernels.length, unknown = { clock: null, grain: null, span: null, kernels: kernels.map((one) => ({ ...one, ms: null, error: 0 })) };
  if (!stamps) return unknown;
  const passes = [...Array(stamps.length / (2 * each)).keys()].map((pass) => 2 * each * pass);
  const exact = device === 'gpu' ? 1 : 100; // the browser's clock gives fractions of milliseconds, which binary numbers only come near
  const length = (/** @type {number} */ from, /** @type {number} */ to) => exact * Math.round((stamps[to] - stamps[from]) / exact);
  const lengths = kernels.map((_, at) => passes.map((pass) => length(pass + 2 * at, pass + 2 * at + 1)));
  const spans = passes.map((pass) => length(pass, pass + 2 * each - 1));
  // A clock that stands still, runs backwards or faster than time tells nothing.
  const grain = lengths.flat().reduce(divisor, 0), all = spans.reduce((sum, span) => sum + span, 0) / 1e6;
  if (!grain || !(all > 0 && all <= 1.05 * wall + 1) || lengths.flat().some((length) => length < 0)) return unknown;
  const fine = grain <= FINE, error = fine ? 0 : grain / 2e6 / Math.sqrt(passes.length);
  const typical = (/** @type {number[]} */ values) => (fine ? median(values) : values.reduce((sum, value) => sum + value, 0) / values.length) / 1e6;
  return { clock: device === 'gpu' ? 'timestamps' : 'processor', grain, span: typical(spans), kernels: kernels.map((one, at) => ({ ...one, ms: typical(lengths[at]), error })) };
}

/** The greatest common divisor of two whole numbers. @returns {number} */
const divisor = (/** @type {number} */ a, /** @type {number} */ b) => (b ? divisor(b, a % b) : Math.abs(a));

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
