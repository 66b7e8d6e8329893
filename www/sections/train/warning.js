// An early word where a training goes wrong, before its loss is no number any more.
import { figure, whole } from '../../ui/numbers.js';

const SPAN = 50; // steps whose mean loss is compared
const RISE = 2; // times the lowest mean
const SURE = 4; // standard errors of a mean

/**
 * What is wrong with a training, or null: the mean loss of the last steps against the lowest of as many before, beyond what chance does.
 * @param {number[]} losses of each step; those before a training that was kept went on may be missing
 * @param {number} rate of learning
 */
export function warning(losses, rate) {
  const end = losses.length, now = moments(losses, end - SPAN, end);
  if (!now) return null;
  let best = now, at = end;
  for (let to = end - SPAN; to >= SPAN; to -= SPAN) {
    const one = moments(losses, to - SPAN, to);
    if (one && one.mean < best.mean) [best, at] = [one, to];
  }
  if (now.mean < RISE * best.mean || now.mean - best.mean < SURE * Math.hypot(now.error, best.error)) return null;
  return `The loss rises: ${figure(now.mean)} over the last ${SPAN} steps, where it was ${figure(best.mean)} up to step ${whole(at)}. If it goes on, the training diverges. A learning rate of ${Number((rate / 3).toPrecision(1))} in place of ${rate} usually mends that.`;
}

/** The mean of a span and its standard error; null where the span is not whole. */
function moments(/** @type {number[]} */ losses, /** @type {number} */ from, /** @type {number} */ to) {
  if (from < 0) return null;
  let sum = 0, squares = 0;
  for (let i = from; i < to; i++) {
    if (!Number.isFinite(losses[i])) return null;
    sum += losses[i];
    squares += losses[i] * losses[i];
  }
  const mean = sum / SPAN;
  return { mean, error: Math.sqrt(Math.max(0, squares / SPAN - mean * mean) / (SPAN - 1)) };
}
