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
 * A chart in `host`; what it returns draws `losses` (one a step, from the first), with room for `steps`, and those of another training.
 * @param {HTMLElement} host
 */
export function lossChart(host) {
  const chart = new Chart(host, {
    name: 'Loss by training step',
    x: { label: 'step', from: 1, read: (step) => `step ${whole(step)}` },
    y: { label: 'loss', log: true },
  });
  /** @type {(losses: number[], steps: number, compared?: number[]) => void} */
  return (losses, steps, compared) => {
    const last = Math.max(losses.length, compared?.length ?? 0);
    chart.draw({
      x: Array.from({ length: last }, (_, i) => i + 1), range: [1, Math.max(steps, last, 2)],
      series: [
        { name: 'loss of the step', y: filled(losses, last), look: 'thin' }, { name: `mean of ${MEAN}`, y: filled(smoothed(losses), last), look: 'bold' },
        ...(compared ? [/** @type {const} */ ({ name: `mean of ${MEAN}, the training compared with`, y: filled(smoothed(compared), last), look: 'dashed' })] : []),
      ],
    });
  };
}

/** With no number where there is none. */
const filled = (/** @type {number[]} */ some, /** @type {number} */ length) => (some.length === length ? some : Array.from({ length }, (_, i) => some[i] ?? NaN));
