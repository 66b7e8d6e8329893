// The exact path from noise: the ordinary differential equation that a deterministic solver follows, in steps so fine that no more
// can be seen of them.
import { denoised } from './score.js';

const FINE = 0.05; // of ln σ in a step of Runge and Kutta
const END = 1e-3; // σ from which on x̂_0 is where the path ends

/**
 * σ_t = √((1 − ᾱ_t) ⁄ ᾱ_t), between two timesteps on the straight line.
 * @param {ArrayLike<number>} alphaBar
 * @param {number} t
 */
export function sigmaAt(alphaBar, t) {
  const of = (/** @type {number} */ i) => Math.sqrt((1 - alphaBar[i]) / alphaBar[i]), whole = Math.floor(t), part = t - whole;
  return part ? (1 - part) * of(whole) + part * of(whole + 1) : of(whole);
}

/**
 * √ᾱ_t, by which a state x ⁄ √ᾱ is multiplied.
 * @param {ArrayLike<number>} alphaBar
 * @param {number} t
 */
export const keptAt = (alphaBar, t) => 1 / Math.hypot(1, sigmaAt(alphaBar, t));

/**
 * The exact path that is at `noise` at t = T: a function that goes on to a timestep, no later than the one before, and gives x_t there.
 * @param {ArrayLike<number>} noise
 * @param {ArrayLike<number>} data one after the other
 * @param {ArrayLike<number>} alphaBar ᾱ_0 … ᾱ_T
 * @returns {(t: number) => number[]}
 */
export function exactPath(noise, data, alphaBar) {
  let sigma = sigmaAt(alphaBar, alphaBar.length - 1), x = Array.from(noise, (value) => value * Math.hypot(1, sigma)); // x ⁄ √ᾱ
  const mean = (/** @type {number[]} */ from, /** @type {number} */ s) => {
    const kept = 1 / Math.hypot(1, s);
    return denoised(from.map((value) => kept * value), data, kept * kept);
  };
  const slope = (/** @type {number[]} */ from, /** @type {number} */ s) => {
    const to = mean(from, s);
    return from.map((value, k) => value - to[k]); // dx ⁄ d ln σ
  };
  const along = (/** @type {number[]} */ by, /** @type {number} */ step) => x.map((value, k) => value + step * by[k]);
  return (t) => {
    const to = Math.max(END, sigmaAt(alphaBar, t)), steps = Math.ceil(Math.log(sigma / to) / FINE), step = steps && Math.log(to / sigma) / steps;
    for (let i = 0; i < steps; i++) {
      const middle = sigma * Math.exp(step / 2), next = sigma * Math.exp(step);
      const a = slope(x, sigma), b = slope(along(a, step / 2), middle), c = slope(along(b, step / 2), middle), d = slope(along(c, step), next);
      x = x.map((value, k) => value + (step / 6) * (a[k] + 2 * b[k] + 2 * c[k] + d[k]));
      sigma = next;
    }
    return t === 0 ? [...mean(x, sigma)] : x.map((value) => value * keptAt(alphaBar, t));
  };
}
