// β_t, ᾱ_t and log SNR against t, each a small chart whose cursor is the timestep that is shown.
import { Chart } from '../../ui/chart.js';

/** @typedef {import('../../api/types.js').Schedule} Schedule */

/** @param {number} alphaBar */
export function logSnr(alphaBar) {
  return Math.log10(alphaBar / (1 - alphaBar));
}

/**
 * The charts inside `list`; `onPick(t)` hears of a timestep that is chosen there.
 * @param {HTMLElement} list
 * @param {(t: number) => void} onPick
 */
export function scheduleCharts(list, onPick) {
  const x = { label: 'timestep t', from: 0, read: (/** @type {number} */ t) => `t = ${t}` };
  const make = (/** @type {string} */ sym, /** @type {string} */ name, /** @type {import('../../ui/chart.js').Axis} */ y) => new Chart(
    /** @type {HTMLElement} */ (list.querySelector(`[data-sym="${sym}"] .curve`)), { name, x, y, compact: true, onPick });
  const beta = make('beta', 'β by timestep', { label: 'β', from: 0 });
  const alpha = make('alpha', 'ᾱ by timestep', { label: 'ᾱ', from: 0 });
  const snr = make('snr', 'log₁₀ SNR by timestep', { label: 'log₁₀ SNR' });
  return {
    /** @param {Schedule} schedule */
    draw(schedule) {
      const t = Float64Array.from(schedule.beta, (_, i) => i);
      beta.draw({ x: t, series: [{ name: 'β', look: 'noise', y: schedule.beta.map((value, i) => (i ? value : NaN)) }] }); // no step leads to t = 0
      alpha.draw({ x: t, series: [{ name: 'ᾱ', look: 'signal', y: schedule.alphaBar }] });
      snr.draw({ x: t, series: [{ name: 'log₁₀ SNR', y: schedule.alphaBar.map(logSnr) }] });
    },
    /** @param {number} t */
    cursor(t) { for (const chart of [beta, alpha, snr]) chart.cursor(t); },
  };
}

/**
 * Timesteps at `count` evenly spaced values of log SNR, from 1 to T: between two of them the picture loses equally much.
 * @param {Schedule} schedule
 * @param {number} count
 */
export function evenlySpaced({ alphaBar }, count) {
  const T = alphaBar.length - 1;
  const at = (/** @type {number} */ t) => Math.max(-12, logSnr(alphaBar[t]));
  const picked = new Set();
  for (let i = 0, t = 1; i < count; i++) {
    const wanted = at(1) + ((at(T) - at(1)) * i) / Math.max(1, count - 1);
    while (t < T && at(t) > wanted) t++;
    picked.add(t);
  }
  return [...picked];
}
