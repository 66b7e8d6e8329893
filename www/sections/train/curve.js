// The loss against the step: each step's as a thin line, the mean of a hundred as a thick one, on a scale of powers of ten.
import { Chart } from '../../ui/chart.js';
import { whole } from '../../ui/numbers.js';

const MEAN = 100;

/**
 * The mean of the last `MEAN` losses up to each step.
 * @param {number[]} losses
 */
export function smoothed(losses) {
  let sum = 0;
  return losses.map((loss, i) => {
    sum += loss - (i >= MEAN ? losses[i - MEAN] : 0);
    return sum / Math.min(i + 1, MEAN);
  });
}

/**
 * A chart in `host`; what it returns draws `losses` (one a step, from the first), with room for `steps`.
 * @param {HTMLElement} host
 */
export function lossChart(host) {
  const chart = new Chart(host, {
    name: 'Loss by training step',
    x: { label: 'step', from: 1, read: (step) => `step ${whole(step)}` },
    y: { label: 'loss', log: true },
  });
  /** @type {(losses: number[], steps: number) => void} */
  return (losses, steps) => chart.draw({
    x: losses.map((_, i) => i + 1), range: [1, Math.max(steps, losses.length, 2)],
    series: [{ name: 'loss of the step', y: losses, look: 'thin' }, { name: `mean of ${MEAN}`, y: smoothed(losses), look: 'bold' }],
  });
}
