// Noise on the way from one to another.

/**
 * Noise at a share of the way from a to b, on the great circle through both: on the straight line between them noise is too weak.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} share 0…1
 */
export function slerp(a, b, share) {
  const dot = (/** @type {Float32Array} */ p, /** @type {Float32Array} */ q) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  const angle = Math.acos(Math.max(-1, Math.min(1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));
  if (!angle) return a;
  const [p, q] = [Math.sin((1 - share) * angle), Math.sin(share * angle)].map((value) => value / Math.sin(angle));
  return a.map((value, i) => p * value + q * b[i]);
}
