// The normal distribution as it is drawn.

/**
 * ln of the density at x.
 * @param {number} x
 * @param {{ mean: number, deviation: number }} of
 */
export function logDensity(x, { mean, deviation }) {
  const z = (x - mean) / deviation;
  return -(z * z) / 2 - Math.log(deviation) - Math.log(2 * Math.PI) / 2;
}

/**
 * `count` values from `from` to `to`, evenly spaced.
 * @param {number} from
 * @param {number} to
 * @param {number} count
 */
export const evenly = (from, to, count) => Float64Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
