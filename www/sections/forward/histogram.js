// How often each value occurs in x_t, beside the standard normal distribution that the chain ends in.
import { Chart } from '../../ui/chart.js';
import { figure } from '../../ui/numbers.js';

const EDGE = 4, BINS = 80, WIDTH = (2 * EDGE) / BINS;
const centres = Float64Array.from({ length: BINS }, (_, i) => -EDGE + (i + 0.5) * WIDTH);
const normal = centres.map((x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));

/**
 * The density in each bin of [−4, 4], mean and standard deviation.
 * @param {Float32Array} values
 */
export function distribution(values) {
  const density = new Float64Array(BINS);
  let sum = 0, squares = 0;
  for (const value of values) {
    const bin = Math.floor((value + EDGE) / WIDTH);
    if (bin >= 0 && bin < BINS) density[bin] += 1 / (values.length * WIDTH);
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return { density, mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) };
}

/**
 * A chart in `host`; what it returns draws the values of an x_t, and their moments as words into `moments`. In `passing`, while a
 * run goes on, it is drawn ten times a second at most.
 * @param {HTMLElement} host
 * @param {HTMLElement} moments
 */
export function histogram(host, moments) {
  const chart = new Chart(host, {
    name: 'Values of x t, as a density',
    x: { label: 'value', read: (value) => `value ${figure(value)}` },
    y: { label: 'density', from: 0 },
    compact: true,
  });
  let drawnAt = -Infinity, asked = 0;
  return async (/** @type {import('./jump.js').Jump} */ jump, /** @type {number} */ t, /** @type {boolean} */ passing) => {
    if (passing && performance.now() - drawnAt < 100) return;
    drawnAt = performance.now();
    const mine = ++asked, { sample } = await jump.at(t);
    if (mine !== asked) return;
    const { density, mean, deviation } = distribution(sample);
    chart.draw({ x: centres, series: [{ name: 'xₜ', y: density, look: 'signal' }, { name: '𝒩(0, 1)', y: normal, look: 'noise' }] });
    moments.textContent = `mean ${figure(mean)}, deviation ${figure(deviation)}`;
  };
}
