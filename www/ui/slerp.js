// Noise on the way from one to another.

const dot = (/** @type {Float32Array} */ p, /** @type {Float32Array} */ q) => p.reduce((sum, value, i) => sum + value * q[i], 0);

/** The angle between two. @param {Float32Array} a @param {Float32Array} b */
export const angle = (a, b) => Math.acos(Math.max(-1, Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));

/** What each of two at an angle counts for at a share of the way. @returns {[number, number]} */
export const shares = (/** @type {number} */ angle, /** @type {number} */ share) => (angle ? [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)] : [1, 0]);

/**
 * Noise at a share of the way from a to b, on the great circle through both: on the straight line between them noise is too weak.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} share 0…1
 */
export function slerp(a, b, share) {
  const [p, q] = shares(angle(a, b), share);
  return q ? a.map((value, i) => p * value + q * b[i]) : a;
}
