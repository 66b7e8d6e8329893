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
import { makers, takeLine } from './take.js';

/**
 * @import { ReverseStep } from '../../api/types.js'
 * @import { Source } from './fill.js'
 * @import { Given, Taken } from './take.js'
 */

/**
 * A noise with the road that it was found on and that leads back.
 * @typedef {object} Found
 * @property {string} name of the picture
 * @property {string | undefined} model
 * @property {number[]} shape
 * @property {Float32Array} noise
 * @property {Given} given the picture, and what its noise was found with
 * @property {{ sampler: string, steps: number, class: number | null, scheduler: Record<string, unknown> }} road
 */

const field = fields('inversion-form');
const MOST = 4; // noises that are kept: the corners of a square
/** @type {Found[]} the last first */ let found = [];

/**
 * The noises of the last pictures, the last first, if they are the chosen model's.
 * @param {{ id?: string, channels: number, height: number, width: number }} model
 */
export const foundFor = ({ id, channels, height, width }) => found.filter((of) => of.model === id && of.shape.join() === [1, channels, height, width].join());

/** @param {() => Source} source */
export function startInversion(source) {
  const again = () => invert(source());
  makers.inversion = { form: 'inversion-form', press: 'Find its noise and come back', again, forget: () => { found = []; } };
  $('inversion-form').addEventListener('submit', (event) => { event.preventDefault(); again(); });
}

/**
 * @param {Source} source
 * @returns {Promise<Taken | undefined>} unless it stopped
 */
async function invert({ square, name, link }) {
  if (busy()) return undefined;
  /** @type {number} */ let steps;
  try { steps = number(field.steps); } catch (error) { complain(error); return undefined; }
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
  if (!result) { live.keep(); return undefined; }
  const { model, image, there: { sample: noise, rgba }, back, grid, shape } = result;
  const entry = chosen(), rgbaGiven = toBytes(image, grid.width, shape[1]), own = { 'inversion.steps': steps, class: road.class };
  const given = { rgba: rgbaGiven, size: grid.width, name, link, settings: own };
  found = [{ name, model: model.id, shape, noise, road, given }, ...found].slice(0, MOST);
  const off = rootMeanSquare(back.sample.map((value, i) => Math.max(-1, Math.min(1, value)) - image[i]));
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const few = entry?.of ? ' This model was taught to go in few steps and knows little of the timesteps between them: “Best” comes back nearer.' : '';
  draw([...before, ...row(back.rgba, grid, () => 'What comes of that noise')], `The picture, its noise (mean ${figure(mean)}, standard deviation ${figure(rootMeanSquare(noise.map((value) => value - mean)))}; drawn noise has 0 and 1), and what ${counted(steps, 'step')} make of that: ${figure(off)} away in the root mean square, of values from −1 to 1.${few}`);
  /** @type {Taken} */
  const taken = {
    chain: 'inversion', what: `${name}, its noise, and back`, parts: ['inversion', entry?.id, `${steps}steps`], cells: [rgbaGiven, rgba, back.rgba], columns: 3, width: grid.width, height: grid.height,
    settings: { model: entry?.id, ...own }, given: { ...given, settings: undefined }, entry, files: pollen.files,
  };
  $('b-inverted').append(takeLine(taken));
  say(`Done: ${name} in ${counted(steps, 'step')} of DDIM to its noise and back, ${figure(off)} away in the root mean square, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
  return taken;
}

const rootMeanSquare = (/** @type {Float32Array} */ values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
