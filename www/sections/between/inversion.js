// A picture led back to the noise that leads to it (DDIM inversion), and what comes of that noise.
import { pollen } from '../../api/pollen.js';
import { asNetwork, toBytes } from '../../files/picture.js';
import { $, fields } from '../../ui/dom.js';
import { counted, figure, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { chosen, load } from '../models/shelf.js';
import { showTerms } from '../reverse/step-formula.js';
import { chosenClass } from '../reverse/fields.js';
import { asItComes, figureOf, row } from './row.js';

/** @import { ReverseStep } from '../../api/types.js' */

/**
 * A noise with the road that it was found on and that leads back.
 * @typedef {object} Found
 * @property {string} name of the picture
 * @property {string | undefined} model
 * @property {number[]} shape
 * @property {Float32Array} noise
 * @property {{ sampler: string, steps: number, class: number | null, scheduler: Record<string, unknown> }} road
 */

const field = fields('inversion-form');
/** @type {Found[]} the last first */ let found = [];

/**
 * The noise of the last picture, and of the one before, if they are the chosen model's.
 * @param {{ id?: string, channels: number, height: number, width: number }} model
 */
export const foundFor = ({ id, channels, height, width }) => found.filter((of) => of.model === id && of.shape.join() === [1, channels, height, width].join());

/** @param {() => { square: HTMLCanvasElement, name: string }} source */
export function startInversion(source) {
  $('inversion-form').addEventListener('submit', (event) => { event.preventDefault(); invert(source()); });
}

/** @param {{ square: HTMLCanvasElement, name: string }} source */
async function invert({ square, name }) {
  if (busy()) return;
  /** @type {number} */ let steps;
  try { steps = number(field.steps); } catch (error) { complain(error); return; }
  const began = performance.now(), road = { sampler: 'ddim', steps, class: chosenClass(), scheduler: { clip_sample: false, thresholding: false } };
  /** @type {HTMLCanvasElement[]} */ let before = []; // the pictures that are finished
  const draw = (/** @type {HTMLCanvasElement[]} */ pictures, /** @type {string} */ caption) => {
    $('b-inverted').replaceChildren(figureOf(pictures, caption));
    $('b-inverted').hidden = false;
  };
  const live = asItComes(({ xt, width, height }, after) => {
    const name = before.length > 1 ? 'What comes of that noise' : 'On the way to the noise';
    draw([...before, ...row(xt, { count: 1, width, height }, () => name + after)], `${name}${after}.`);
  });
  const result = await run(async (report) => {
    const model = await load(report), image = asNetwork(square, model), { channels, height, width } = model, grid = { count: 1, width, height };
    const told = (/** @type {string} */ what, /** @type {number} */ before) => (/** @type {ReverseStep} */ step) => {
      const { t, tNext, terms } = step;
      report(before + step.step, 2 * steps, `${what}, on ${adapterName()}.`, `step ${step.step} of ${steps}`);
      $('b-inverted-maths').hidden = false;
      if (tNext) showTerms({ t: Math.round(t), tNext: Math.round(tNext), terms }, 'b-inverted-live'); // the last ends at x̂_0 itself
      live.take(step);
    };
    before = row(toBytes(image, width, channels), grid, () => `${name}, as the network sees it`);
    const there = await pollen.generate({ ...road, image, invert: true, onStep: told(`Leading ${name} back to its noise`, 0) });
    before = [...before, ...row(there.rgba, grid, () => `The noise of ${name}`)];
    const back = await pollen.generate({ ...road, noise: there.sample, onStep: told('Coming back from there', steps) });
    return { model, image, there, back, grid, shape: [1, channels, height, width] };
  });
  if (!result) { live.keep(); return; }
  const { model, image, there: { sample: noise }, back, grid, shape } = result;
  found = [{ name, model: model.id, shape, noise, road }, ...found].slice(0, 2);
  const off = rootMeanSquare(back.sample.map((value, i) => Math.max(-1, Math.min(1, value)) - image[i]));
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const few = chosen()?.of ? ' This model was taught to go in few steps and knows little of the timesteps between them: “Best” comes back nearer.' : '';
  draw([...before, ...row(back.rgba, grid, () => 'What comes of that noise')], `The picture, its noise (mean ${figure(mean)}, standard deviation ${figure(rootMeanSquare(noise.map((value) => value - mean)))}; drawn noise has 0 and 1), and what ${counted(steps, 'step')} make of that: ${figure(off)} away in the root mean square, of values from −1 to 1.${few}`);
  say(`Done: ${name} in ${counted(steps, 'step')} of DDIM to its noise and back, ${figure(off)} away in the root mean square, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}

const rootMeanSquare = (/** @type {Float32Array} */ values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
