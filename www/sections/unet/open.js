// The U-Net, open: what every layer makes of the x_t at which the film stands, down to the sum of one number.
import { pollen } from '../../api/pollen.js';
import { $ } from '../../ui/dom.js';
import { seconds } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { adapterName, busy, run, say } from '../../ui/runs.js';
import { shownFrame, STATE, stateOf } from '../between/frame.js';
import { chosen, load } from '../models/shelf.js';
import { field as asked } from '../reverse/fields.js';
import { current, onFrame } from '../reverse/film.js';
import { diagram, isShown } from './blocks.js';
import { drawNetwork, fillTile, lastOf } from './drawing.js';
import { due, toFrame } from '../address.js';
import { describeAgain, goToSpot, hideLayers, prefer, showBlock, startLayers } from './layers.js';
import { mustBeLoaded, objectTo } from './seen.js';

/**
 * @import { Model, NetworkOperation, PassTimes, Shape } from '../../api/types.js'
 * @import { Report } from '../../ui/runs.js'
 * @import { Block, Diagram } from './blocks.js'
 *
 * @typedef {object} Seen what the network is given, and what it consists of
 * @property {Model} model
 * @property {NetworkOperation[]} all
 * @property {Diagram} network
 * @property {Map<Block, HTMLButtonElement>} buttons
 * @property {{ sample: Float32Array, shape: number[], timestep: number, classLabels: number[] | undefined }} input
 * @property {PassTimes | null} times of the kernels; they are measured once the rest is shown
 */

const SECONDS = 0.3; // in which passes are timed
const STILL_MS = 250; // after which a film that is not moved stands still
const slider = $('u-frame', HTMLInputElement), host = $('u-network'), caption = $('u-caption');
/** @type {Seen | null} */ let seen = null;
/** The x_t of frames that were asked for, of the run that they are of. @type {{ of: unknown, states: Map<number, Float32Array> }} */ let known = { of: null, states: new Map() };
let asking = false, inView = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */ let resting; // until the film has stood still

startLayers();
slider.addEventListener('input', follow);
onFrame(followFilm);
new IntersectionObserver(([{ isIntersecting }]) => { inView = isIntersecting; followFilm(); }).observe(host);

/** Where the film stands, as a place between the noise and the last x_t that the network is given. */
function place() {
  const film = current();
  if (!film) return 0;
  slider.max = String(Math.max(0, film.frames.last - 1));
  return Math.min(slider.valueAsNumber, Number(slider.max));
}

/** The slider goes to where the film stands. */
function takeFrame() {
  const film = current();
  if (!film) return;
  slider.max = String(Math.max(0, film.frames.last - 1));
  toFrame(slider, Math.min(film.index, Number(slider.max)));
}

/** The frame of the film that is open, once the film stands still: a state is made again by its whole chain. */
function followFilm() {
  clearTimeout(resting);
  if (!inView || !seen || !current()) return;
  resting = setTimeout(() => {
    const film = current();
    if (busy() || !seen || !film || pollen.model !== seen.model || film.model !== chosen() || !STATE.includes(film.options.sampler)) return;
    const before = slider.value, same = known.of === film.steps;
    takeFrame();
    if (slider.value !== before || !same) follow();
  }, STILL_MS);
}

/**
 * What the network is given at that frame of the film; without a film, the noise of the seed that is chosen.
 * @param {Report} report
 */
async function inputAt(report) {
  const index = place(), model = await load(report), { channels, height, width, any, trainSteps } = model;
  const label = (/** @type {number | null | undefined} */ one) => (model.classes ? [one ?? any ?? 0] : undefined);
  if (!current()) {
    const shape = [1, channels, height, width], seed = asked.seed.valueAsNumber;
    return { sample: await pollen.randn({ seed, shape }), shape, timestep: trainSteps - 1, classLabels: label(/^\d+$/.test(asked.class.value) ? Number(asked.class.value) : null) };
  }
  const from = { ...shownFrame(), index }, { steps, options, frames, numbers: { width: w, height: h } } = from;
  const rest = steps.slice(index + 1, frames.last + 1).map(({ t }) => Math.round(t) - 1);
  if (known.of !== steps) known = { of: steps, states: new Map() };
  const sample = known.states.get(index) ?? await stateOf({ ...from, rest }, report);
  known.states.set(index, sample);
  return { sample, shape: [1, channels, h, w], timestep: rest[0], classLabels: label(options.class) };
}

/** Opens the network at the film's frame. */
export async function look() {
  if (busy()) return;
  const began = performance.now(), entry = chosen(), title = entry?.title ?? 'the network';
  takeFrame();
  const done = await run(async (report) => {
    const input = await inputAt(report);
    report(0, 0, `Looking inside at t = ${input.timestep + 1}, on ${adapterName()}.`);
    const all = await pollen.operations({ shape: input.shape }), network = diagram(all);
    hideLayers();
    const buttons = drawNetwork(host, network, all, (block) => choose(block));
    seen = { model: /** @type {Model} */ (pollen.model), all, network, buttons, input, times: null };
    $('u-figure').hidden = $('u-scrub').hidden = false;
    await fill();
    const first = [...buttons.keys()].find(({ name }) => name.startsWith('down')) ?? [...buttons.keys()][0];
    await choose(first);
    const [name, place] = (due('unet.layer') ?? '').split(':'), asked = [...buttons.keys()].find((block) => block.name === name);
    if (asked && prefer(asked, Number(place))) await choose(asked);
    goToSpot();
    seen.times = await pollen.times({ ...input, shape: /** @type {Shape} */ (input.shape), seconds: SECONDS });
    describeAgain();
    return all.filter(isShown).length;
  });
  if (done) timed(`inside ${entry?.id}`, 1, performance.now() - began);
  if (done) say(`Done: what ${done} operations of ${title} make of xₜ at t = ${(seen?.input.timestep ?? 0) + 1}, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}

/** The pictures of all blocks. */
async function fill() {
  if (!seen) return;
  const { all, buttons, input } = seen, blocks = [...buttons.keys()];
  const results = await pollen.activations({ ...input, operations: blocks.map(lastOf) });
  for (const [i, block] of blocks.entries()) fillTile(/** @type {HTMLButtonElement} */ (buttons.get(block)), results[i], all[lastOf(block)]);
  const { timestep } = input;
  slider.setAttribute('aria-valuetext', `t = ${timestep + 1}`);
  $('u-frame-out').textContent = `t = ${timestep + 1}`;
  caption.textContent = `What the network makes of xₜ at t = ${timestep + 1}. Of each block the channel that varies most; the number says how many channels there are.`;
}

/** @param {Block} block */
async function choose(block) {
  if (!seen) return;
  for (const [one, button] of seen.buttons) button.setAttribute('aria-pressed', String(one === block));
  await quietly(() => showBlock(/** @type {Seen} */ (seen), block));
}

/** Another frame, looked at without a run of its own; while one is being looked at, the last that was asked for comes next. */
async function follow() {
  if (asking || busy() || !seen) return;
  asking = true;
  const wanted = slider.value;
  await quietly(async () => {
    if (!seen) return;
    seen.input = await inputAt(() => {});
    await fill();
    const [block] = [...seen.buttons].find(([, button]) => button.getAttribute('aria-pressed') === 'true') ?? [];
    if (block) await showBlock(seen, block);
  });
  asking = false;
  if (slider.value !== wanted) follow();
}

/**
 * What is looked at must be the network that was opened.
 * @param {() => Promise<void>} work
 */
async function quietly(work) {
  if (!seen) return;
  try {
    mustBeLoaded(seen);
    await work();
  } catch (error) {
    objectTo(error);
  }
}
