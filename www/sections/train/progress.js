// A training as it goes: its numbers, its curve and strip, its samples, a word where it goes wrong, what was kept.
import { $ } from '../../ui/dom.js';
import { figure, seconds } from '../../ui/numbers.js';
import { adapterName, complain } from '../../ui/runs.js';
import { smoothed } from './curve.js';
import { showValues } from './display.js';
import { addSample } from './samples.js';
import { addToStrip } from './strip.js';
import { warning } from './warning.js';

const KEEP_SECONDS = 45;
const DRAW_MS = 100;
const FIRST = 5; // steps after which a training that begins shows a sample, as early as anything can be seen
/** @type {[number, number][]} */ let times = []; // [time, step] of the first report and of the last
/** @type {import('../../api/types.js').GenerateOptions} */
const SAMPLE = { sampler: 'ddim', steps: 20, seed: 0 };

/**
 * @import { RunOptions, Training, TrainingSample } from '../../api/types.js'
 * @import { Report } from '../../ui/runs.js'
 * @import { About } from './display.js'
 *
 * @typedef {object} Going
 * @property {Training} training
 * @property {About} about
 * @property {number[]} losses of each step, which grow here
 * @property {number} steps
 * @property {number} every so many steps a sample
 * @property {number} batch
 * @property {TrainingSample | null} before the last sample of a training that goes on
 * @property {Report} report
 * @property {() => void} draw draws curve and strip
 */

/** Milliseconds for a step of the last run, without the preparation of its first; 0 where that is not known. */
export function pace() {
  const [[began, first], [ended, last]] = times.length > 1 ? times : [[0, 0], [0, 0]];
  return last > first ? (ended - began) / (last - first) : 0;
}

/**
 * The options of the run, with what is shown of it.
 * @param {Going} going
 * @returns {RunOptions}
 */
export function runOptions({ training, about, losses, steps, every, batch, before, report, draw }) {
  const sentence = `Training on ${about.title}, on ${adapterName()}.`, notice = $('t-warning');
  /** @type {[number, number][]} */ const marks = []; // [time, step] of the last seconds
  /** @type {import('./warning.js').Beside} */ const beside = { norms: [], errors: [] };
  let drawn = -Infinity, warned = false;
  notice.hidden = true;
  showValues({ block: '–' });
  times = [];
  report(training.step, steps, sentence, `step ${training.step} of ${steps}`);
  return {
    steps,
    sampleEvery: every,
    sampleFirst: training.step ? 0 : Math.min(FIRST, every),
    sample: { ...SAMPLE, count: about.count > 1 ? 4 : 1 },
    compare: true,
    keepEvery: KEEP_SECONDS,
    about: { ...about, steps, every },
    losses,
    picture: before,
    onReport: (of) => {
      const { step, loss, norm } = of, now = performance.now();
      losses[step - 1] = loss;
      beside.norms[step - 1] = norm;
      beside.errors[step - 1] = of.losses.reduce((sum, one) => sum + one, 0) / of.losses.length;
      addToStrip(of);
      times[Math.min(1, times.length)] = [now, step];
      marks.push([now, step]);
      while (marks.length > 2 && now - marks[0][0] > 5000) marks.shift();
      if (now - drawn < DRAW_MS && step !== steps) return;
      drawn = now;
      report(step, steps, sentence, `step ${step} of ${steps}`);
      const rate = (step - marks[0][1]) / ((now - marks[0][0]) / 1000);
      showValues({
        step: `${step} of ${steps}`, loss: figure(smoothed(losses.slice(-100)).at(-1) ?? NaN), norm: figure(norm),
        speed: rate > 0 ? figure(rate * batch) : '–', left: rate > 0 ? seconds((1000 * (steps - step)) / rate) : '–',
      });
      const wrong = warning(losses, about.rate, beside);
      notice.hidden = !wrong;
      if (wrong) notice.textContent = wrong;
      import('./live.js').then(({ liveStep }) => liveStep(of, about), complain);
      draw();
    },
    onSample: addSample,
    onKept: ({ step, problem }) => {
      showValues({ kept: problem ? 'no' : `step ${step}` });
      if (problem && !warned) complain(`This browser cannot keep the training (${problem}): closing the tab would lose it.`);
      warned ||= Boolean(problem);
    },
  };
}
