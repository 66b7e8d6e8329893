// From values to a share of an axis, and the round values that are written beside it.

/** @typedef {import('./chart.js').Axis} Axis */

/** Whether an axis can show a value. */
export const shows = (/** @type {Axis} */ { log }, /** @type {number} */ value) => Number.isFinite(value) && (!log || value > 0);

/**
 * The lowest and the highest value of all series that an axis can show.
 * @param {import('./chart.js').Series[]} series
 * @param {Axis} axis
 * @returns {[number, number]}
 */
export function extent(series, axis) {
  let low = Infinity, high = -Infinity;
  for (const { y } of series) {
    for (let i = 0; i < y.length; i++) {
      if (!shows(axis, y[i])) continue;
      low = Math.min(low, y[i]);
      high = Math.max(high, y[i]);
    }
  }
  return low <= high ? [low, high] : axis.log ? [0.1, 1] : [0, 1];
}

/**
 * @param {Axis} axis
 * @param {[number, number]} range
 */
export function scale({ log, from, ticks }, [first, last]) {
  const map = log ? Math.log10 : Number;
  let low = map(Math.min(first, from ?? first)), high = map(Math.max(last, from ?? last));
  if (high - low < 1e-12) [low, high] = log ? [low - 0.5, high + 0.5] : [low - (Math.abs(low) / 2 || 0.5), high + (Math.abs(high) / 2 || 0.5)];
  return {
    /** 0 at the low end, 1 at the high one. */
    share: (/** @type {number} */ value) => (map(value) - low) / (high - low),
    /** About `count` round values, or those that the axis names. */
    ticks: (/** @type {number} */ count) => ticks?.filter((value) => map(value) >= low && map(value) <= high) ?? (log ? powers(low, high, count) : rounds(low, high, count)),
  };
}

/** Multiples of 1, 2 or 5 times a power of ten. */
function rounds(/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ count) {
  const rough = (high - low) / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  const slack = 1e-9 * (high - low), all = [];
  for (let step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10); all.length < 2; step /= 2) {
    all.length = 0;
    for (let n = Math.ceil((low - slack) / step) + 0; n * step <= high + slack; n++) all.push(n * step);
  }
  return all;
}

/** Powers of ten between two logarithms, and digits between them where there are few; round values where there is none of these. */
function powers(/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ count) {
  const decades = high - low, each = Math.max(1, Math.ceil(decades / Math.max(1, count))), all = [];
  const digits = decades > 2.5 || count < 4 && decades > 1.3 ? [1] : decades > 1.3 ? [1, 3] : [1, 2, 5];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    if (power % each) continue;
    for (const digit of digits) {
      const value = Number((digit * 10 ** power).toPrecision(1));
      if (Math.log10(value) >= low - 1e-9 && Math.log10(value) <= high + 1e-9) all.push(value);
    }
  }
  return all.length > 1 ? all : rounds(10 ** low, 10 ** high, Math.min(count, 4));
}

/**
 * The values that are drawn: all of them, or the smallest and largest of what falls on each half pixel.
 * @param {ArrayLike<number>} y
 * @param {Axis} axis
 * @param {number} pixels
 * @returns {[place: number, value: number][]}
 */
export function columns(y, axis, pixels) {
  const each = Math.max(1, Math.floor(y.length / Math.max(1, 2 * pixels)));
  /** @type {[number, number][]} */ const found = [];
  for (let from = 0; from < y.length; from += each) {
    let low = -1, high = -1;
    for (let i = from; i < Math.min(from + each, y.length); i++) {
      if (!shows(axis, y[i])) continue;
      if (low < 0 || y[i] < y[low]) low = i;
      if (high < 0 || y[i] > y[high]) high = i;
    }
    if (low < 0) continue;
    found.push([low, y[low]]);
    if (high !== low) found.push([high, y[high]]);
  }
  return found;
}
