// The plane in which a few pictures are furthest apart: their first two principal directions, from the inner products of all pairs.

/** @typedef {[x: number, y: number]} Point */
/** @typedef {{ mean: Float64Array, axes: [Float64Array, Float64Array], places: Point[] }} Plane */

const ROUNDS = 400; // of the power iteration
const TINY = 1e-9; // of the largest share, where a direction is none

const dot = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) => { let sum = 0; for (let i = 0; i < a.length; i++) sum += a[i] * b[i]; return sum; };

/** Takes `from` what lies along the unit vector `along`, in place. @param {Float64Array} from @param {Float64Array} along */
function without(from, along) {
  const part = dot(from, along);
  for (let i = 0; i < from.length; i++) from[i] -= part * along[i];
  return from;
}

/** In place, of length 1; none where it is no longer than `least`. @param {Float64Array} of */
function unit(of, least = 0) {
  const length = Math.sqrt(dot(of, of));
  for (let i = 0; i < of.length; i++) of[i] = length > least ? of[i] / length : 0;
  return of;
}

/**
 * @param {Float32Array} data pictures one after the other
 * @param {number} count
 * @returns {Plane} two pictures have one direction; the second is then that of their mean from grey
 */
export function principal(data, count) {
  const length = data.length / count, mean = new Float64Array(length);
  for (let i = 0; i < data.length; i++) mean[i % length] += data[i] / count;
  const rows = Array.from({ length: count }, (_, n) => mean.map((value, k) => data[n * length + k] - value)), gram = rows.map((row) => rows.map((other) => dot(row, other)));
  const scale = Math.sqrt(Math.max(...gram.map((row, n) => row[n]))), /** @type {Float64Array[]} */ found = [], /** @type {Float64Array[]} */ axes = [];
  for (let axis = 0; axis < 2; axis++) {
    let shares = Float64Array.from(rows, (_, n) => Math.cos(1 + n * (axis + 1))); // any will do that is not along an axis
    for (let round = 0; round < ROUNDS; round++) {
      for (const other of found) without(shares, other);
      unit(shares);
      shares = Float64Array.from(gram, (row) => dot(row, shares));
    }
    found.push(unit(shares));
    const direction = mean.map((_, k) => rows.reduce((sum, row, n) => sum + shares[n] * row[k], 0));
    for (const other of axes) without(direction, other);
    unit(direction, TINY * scale);
    if (axis && !dot(direction, direction)) unit(without(direction.map((_, k) => mean[k]), axes[0]), TINY).forEach((value, k) => { direction[k] = value; });
    axes.push(direction);
  }
  return { mean, axes: [axes[0], axes[1]], places: rows.map((row) => [dot(row, axes[0]), dot(row, axes[1])]) };
}

/**
 * Where x_t is in the plane, the pictures' mean, as it is left in x_t, in the middle.
 * @param {Plane} plane
 * @param {ArrayLike<number>} x all of a batch
 * @param {number} alphaBar
 * @returns {Point[]}
 */
export function placesOf({ mean, axes }, x, alphaBar) {
  const length = mean.length, keep = Math.sqrt(alphaBar);
  return Array.from({ length: x.length / length }, (_, n) => {
    const sums = [0, 0];
    for (let k = 0; k < length; k++) {
      const apart = x[n * length + k] - keep * mean[k];
      sums[0] += apart * axes[0][k];
      sums[1] += apart * axes[1][k];
    }
    return [sums[0], sums[1]];
  });
}
