// The score field of some points: an arrow at each place of a grid.
import { scoreAt } from './score.js';

/** @typedef {[x: number, y: number]} Point */

const ACROSS = 20; // arrows
const HALF = 1.5; // deviations of the noise at which an arrow has 63 % of its greatest length

/**
 * Arrows along the score. Their lengths go with √(1 − ᾱ)·‖score‖, the deviations of the noise to go, and level off at a cell's width: at
 * small t scores are hundreds of times longer.
 * @param {Point[]} points
 * @param {number} alphaBar below 1
 * @param {number} reach
 * @returns {[from: Point, to: Point][]}
 */
export function arrows(points, alphaBar, reach) {
  const data = Float64Array.from(points.flat()), cell = (2 * reach) / ACROSS, noise = Math.sqrt(1 - alphaBar);
  return Array.from({ length: ACROSS * ACROSS }, (_, i) => {
    /** @type {Point} */ const from = [cell * ((i % ACROSS) + 0.5) - reach, cell * (Math.floor(i / ACROSS) + 0.5) - reach];
    const [x, y] = scoreAt(from, data, alphaBar), size = Math.hypot(x, y), long = size ? (0.9 * cell * (1 - Math.exp((-noise * size) / HALF))) / size : 0;
    return [from, /** @type {Point} */ ([from[0] + long * x, from[1] + long * y])];
  });
}
