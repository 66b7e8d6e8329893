// What the losses of a training say in words: that it goes wrong, before they are no numbers any more, or whether more steps would help.
import { figure, percent, whole } from '../../ui/numbers.js';

const SPAN = 50; // steps whose mean loss is compared
const RISE = 2; // times the lowest mean
const SURE = 4; // standard errors of a mean
const TELLS = 0.1; // of the loss: chance that moves it no more leaves a fall to be seen
const EARLY = 10; // steps that tell before so many are done
const NOTHING = 1; // mean squared error of a network that always answers 0: the variance of the noise, and of v at most
const WORSE = 2, JUMP = 4, STEEP = 3; // times that, times the lowest mean loss of ten steps, times the gradient's norm of then
const FEW = 20; // steps at the beginning, where the loss falls fastest

/**
 * @typedef {object} Beside what is known of each step beside its loss, in the run that goes on
 * @property {number[]} norms of the gradient
 * @property {number[]} errors the mean error of a picture, without weights
 *
 * What is wrong with a training, or null: the mean loss of the last steps against the lowest of as many before, beyond what chance does;
 * or, by ten steps, what no chance does.
 * @param {number[]} losses of each step; those before a training that was kept went on may be missing
 * @param {number} rate of learning
 * @param {Beside} [beside]
 */
export function warning(losses, rate, beside) {
  const told = (beside && early(losses, beside)) ?? rising(losses);
  return told && `${told} A learning rate of ${Number((rate / 3).toPrecision(1))} in place of ${rate} usually mends that.`;
}

/** @param {number[]} losses @param {Beside} beside */
function early(losses, { norms, errors }) {
  const end = losses.length, error = moments(errors, end - EARLY, end), now = moments(losses, end - EARLY, end), norm = moments(norms, end - EARLY, end);
  if (!error || !now || !norm) return null;
  if (error.mean > WORSE * NOTHING) return `The training diverges: over the last ${EARLY} steps the network’s error is ${figure(error.mean)}, where one that always answers 0 has about 1. The gradient’s norm is ${figure(norm.mean)}.`;
  for (let to = end - EARLY; to >= EARLY; to -= EARLY) {
    const one = moments(losses, to - EARLY, to), then = moments(norms, to - EARLY, to);
    if (!one || !then || now.mean < JUMP * one.mean || now.mean - one.mean < SURE * Math.hypot(now.error, one.error) || norm.mean < STEEP * then.mean) continue;
    return `The loss jumps: ${figure(now.mean)} over the last ${EARLY} steps, where it was ${figure(one.mean)} up to step ${whole(to)}, and the gradient’s norm rose from ${figure(then.mean)} to ${figure(norm.mean)}. If it goes on, the training diverges.`;
  }
  return null;
}

/** @param {number[]} losses */
function rising(losses) {
  const end = losses.length, now = moments(losses, end - SPAN, end);
  if (!now) return null;
  let best = now, at = end;
  for (let to = end - SPAN; to >= SPAN; to -= SPAN) {
    const one = moments(losses, to - SPAN, to);
    if (one && one.mean < best.mean) [best, at] = [one, to];
  }
  if (now.mean < RISE * best.mean || now.mean - best.mean < SURE * Math.hypot(now.error, best.error)) return null;
  return `The loss rises: ${figure(now.mean)} over the last ${SPAN} steps, where it was ${figure(best.mean)} up to step ${whole(at)}. If it goes on, the training diverges.`;
}

/**
 * How far the loss has come, and whether it still falls: its last quarter of the steps against the quarter before. Empty below a hundred
 * steps and where the first are missing.
 * @param {number[]} losses of each step
 */
export function trend(losses) {
  const end = losses.length, quarter = Math.floor(end / 4), first = moments(losses, 0, FEW), before = moments(losses, end - 2 * quarter, end - quarter), now = moments(losses, end - quarter, end);
  if (end < 5 * FEW || !first || !before || !now) return '';
  const came = now.mean < first.mean ? `From ${figure(first.mean)} over the first ${FEW} steps it has come down to ${figure(now.mean)}` : `It was ${figure(first.mean)} over the first ${FEW} steps and is ${figure(now.mean)} now`;
  const fell = (before.mean - now.mean) / before.mean, chance = SURE / 2 * Math.hypot(before.error, now.error) / before.mean;
  const still = fell > chance ? `It still falls, by ${percent(fell)} from one quarter of the steps to the next: more of them would help.`
    : fell < -chance ? `It rises, by ${percent(-fell)} from one quarter of the steps to the next: a smaller learning rate usually mends that.`
    : chance < TELLS ? 'Over the last half of the steps it has not fallen by more than chance: more of them would change little.'
    : `Chance moves it by ${percent(chance)}, too much to tell from so few steps whether it still falls.`;
  return `${came}. ${still}`;
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
  const count = to - from, mean = sum / count;
  return { mean, error: Math.sqrt(Math.max(0, squares / count - mean * mean) / (count - 1)) };
}
