// Other futures of a run: from the x_t of a frame of the film DDPM goes on with fresh noise, and the branches are kept side by side.
// A future that is pressed is gone through like a film, and branches of its own start from it.
import { pollen } from '../../api/pollen.js';
import { Frames } from '../../ui/canvas.js';
import { $, fields, make } from '../../ui/dom.js';
import { counted, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { chosen, load } from '../models/shelf.js';
import { current, showFrame as showFilm } from '../reverse/film.js';
import { commonOf, shownFrame, stateOf } from './frame.js';
import { asItComes, cells, figureOf, row } from './row.js';
import { takeLine } from './take.js';

/**
 * @import { Report } from '../../ui/runs.js'
 * @import { Entry } from '../models/entry.js'
 * @import { Taken } from './take.js'
 *
 * @typedef {object} Trunk where branches start
 * @property {string} name of the run
 * @property {Entry} model
 * @property {object} common what its chains are asked for
 * @property {number[]} rest timesteps, 0…T−1, still to be visited
 * @property {HTMLCanvasElement} picture x_t
 * @property {(report: Report) => Promise<Float32Array>} state x_t
 * @property {Pick<Taken, 'parts' | 'settings' | 'files'>} [saved] of a frame of the film, which a file brings back
 *
 * @typedef {object} Future one of a branch
 * @property {HTMLButtonElement} button
 * @property {number} last frame
 * @property {(at: number) => Trunk} trunk
 */

const FUTURES = 4, MOST = 8; // of a branch; branches
const BYTES = 8e6; // of the frames of a branch
const field = fields('branch-form'), list = $('b-branches', HTMLOListElement), slider = $('b-future', HTMLInputElement);
/** @type {Future | null} */ let pressed = null;

$('b-on').addEventListener('click', () => branch(() => /** @type {Future} */ (pressed).trunk(slider.valueAsNumber)));
$('b-prune').addEventListener('click', () => { list.replaceChildren(); press(null); showTools(); });
slider.addEventListener('input', () => showFrame());

/** Branches the frame at which the film stands, or where it stands at its end, half-way: there futures still differ. */
export function branchFilm() {
  const shown = current(), last = shown?.frames.last ?? 0;
  if (shown && !busy() && shown.index === last && last > 1) showFilm(Math.min(Math.floor(last / 2), last - 2));
  return branch(trunkOfFilm);
}

const showTools = () => { $('b-prune').hidden = list.hidden = !list.childElementCount; };

/** The frame of the film. @returns {Trunk} */
function trunkOfFilm() {
  const from = shownFrame(), { options, model, rest, index, files, pictures, numbers } = from, t = (rest[0] ?? -1) + 1;
  const [picture] = row(pictures.xt, numbers, () => `x t at t = ${t}, from which the futures lead`, 1);
  return {
    name: `seed ${options.seed}`, model, common: commonOf(from), rest, picture, state: (report) => stateOf(from, report),
    saved: { parts: [options.model, `t${t}`, `seed${options.seed}`], settings: { ...options, 'film.frame': index }, files },
  };
}

/** @param {Future | null} future that is gone through from now on, at first in its middle; the one before is at its end again */
function press(future) {
  if (pressed && pressed !== future) showFrame(pressed.last);
  pressed?.button.setAttribute('aria-pressed', 'false');
  pressed = future;
  future?.button.setAttribute('aria-pressed', 'true');
  $('b-future-field').hidden = !future;
  if (!future) return;
  slider.max = String(future.last);
  slider.value = String(Math.floor(future.last / 2));
  showFrame();
}

/** The frame of the future that the slider is at, in the future's own place. */
function showFrame(place = slider.valueAsNumber) {
  if (!pressed) return;
  const { rest: [next], picture } = pressed.trunk(place), at = `t = ${next === undefined ? 0 : next + 1}`;
  pressed.button.querySelector('canvas')?.getContext('2d')?.drawImage(picture, 0, 0);
  slider.setAttribute('aria-valuetext', at);
  $('b-future-out').textContent = at;
}

/**
 * Adds a branch: its picture and the futures that fresh noise leads to.
 * @param {() => Trunk} of
 * @returns {Promise<Taken | undefined>} what of it can be saved, unless it stopped
 */
async function branch(of) {
  if (busy()) return undefined;
  /** @type {Trunk} */ let trunk;
  /** @type {number} */ let seed;
  try {
    trunk = of();
    seed = number(field.fresh);
    if (trunk.rest.length < 2) throw new Error(`After this frame ${trunk.rest.length ? 'one step is' : 'no step is'} left, in which no noise is drawn any more. Go back and branch an earlier frame.`);
    if (trunk.model !== chosen()) throw new Error(`This future is one of ${trunk.model.title}, which is not the model that is chosen now. Choose it again.`);
  } catch (error) { complain(error); return undefined; }
  const { rest, model, picture } = trunk, t = rest[0] + 1, began = performance.now(), name = `From t = ${t} of ${trunk.name}, fresh noise ${seed}`;
  const item = make('li', { value: t }), frames = new Frames(rest.length, 4 * FUTURES * picture.width * picture.height, BYTES);
  /** @type {{ noise: Float32Array, [name: string]: unknown } | undefined} */ let asked;
  const draw = (/** @type {Uint8ClampedArray} */ rgba, after = '') => {
    const made = row(rgba, { count: FUTURES, width: picture.width, height: picture.height }, (i) => `Future ${i + 1} of t = ${t}, fresh noise ${seed}${after}`);
    item.replaceChildren(figureOf([picture, ...made], `${name}${after}.`));
    if (!item.isConnected) insert(item);
    return made;
  };
  const live = asItComes(({ xt }, after) => draw(xt, after));
  const result = await run(async (report) => {
    const first = await trunk.state(report), noise = new Float32Array(FUTURES * first.length);
    for (let i = 0; i < FUTURES; i++) noise.set(first, i * first.length);
    asked = { ...trunk.common, sampler: 'ddpm', ...(model.variance?.startsWith('learned') ? {} : { variance: 'fixed_small' }), timesteps: rest, noise, seed, count: FUTURES };
    return pollen.generate({
      ...asked,
      onStep(step) {
        report(step.step, step.steps, `Other futures from t = ${t}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        if (step.step === 1) frames.keep(0, step.xt);
        frames.keep(step.step, step.xt);
        live.take(step);
      },
    });
  });
  if (!result || !asked) { live.keep(); return undefined; }
  const { saved } = trunk, { width, height } = picture;
  const given = new Uint8ClampedArray(picture.getContext('2d')?.getImageData(0, 0, width, height).data ?? []);
  draw(result.rgba).forEach((canvas, i) => futureOf(canvas, i, trunk, { ...asked, name, frames }));
  /** @type {Taken | undefined} */
  const taken = saved && {
    chain: 'branch', what: `the futures f${name.slice(1)}`, parts: ['branch', ...saved.parts, `fresh${seed}`], cells: [given, ...cells(result.rgba, { count: FUTURES, width, height })], columns: 1 + FUTURES, width, height,
    settings: { ...saved.settings, 'branch.fresh': seed }, entry: model, files: saved.files,
  };
  if (taken) item.append(takeLine(taken));
  field.fresh.value = String(seed + 1);
  say(`Done: ${counted(FUTURES, 'future')} of the run from t = ${t} in ${counted(rest.length, 'step')} of DDPM each, in ${seconds(performance.now() - began)} on ${adapterName()}. Press one to go on from it.`);
  return taken;
}

/** From the noise on, as time goes. @param {HTMLLIElement} item */
function insert(item) {
  const later = /** @type {HTMLLIElement[]} */ ([...list.children]).find(({ value }) => value < item.value);
  list.insertBefore(item, later ?? null);
  while (list.childElementCount > MOST) (list.lastElementChild === item ? item.previousElementSibling : list.lastElementChild)?.remove();
  if (pressed && !pressed.button.isConnected) press(null);
  showTools();
}

/**
 * Makes a finished future one that can be pressed.
 * @param {HTMLCanvasElement} canvas
 * @param {number} i its place in the branch
 * @param {Trunk} trunk
 * @param {{ noise?: Float32Array, name: string, frames: Frames<Uint8ClampedArray>, [name: string]: unknown }} branch
 */
function futureOf(canvas, i, { model, common, rest, picture }, { name, frames, ...asked }) {
  const button = make('button', { type: 'button' }), { width, height } = picture, label = canvas.getAttribute('aria-label') ?? '';
  canvas.removeAttribute('role');
  canvas.removeAttribute('aria-label');
  button.setAttribute('aria-label', label);
  button.setAttribute('aria-pressed', 'false');
  canvas.replaceWith(button);
  button.append(canvas);
  /** @type {Future} */
  const future = {
    button, last: rest.length,
    trunk(at) {
      const left = rest.slice(at), shown = row(/** @type {Uint8ClampedArray} */ (frames.near(at)), { count: FUTURES, width, height }, () => `x t at t = ${(left[0] ?? -1) + 1} of ${label}`)[i];
      if (!at) shown.getContext('2d')?.drawImage(picture, 0, 0);
      return {
        name: `future ${i + 1} of ${name.replace('From', 'that from')}`, model, common, rest: left, picture: shown,
        async state(report) {
          await load(report);
          const noise = /** @type {Float32Array} */ (asked.noise), each = noise.length / FUTURES;
          const all = at ? (await pollen.generate({ ...asked, until: at, onStep: ({ step }) => report(step, at, `Going along the future again, on ${adapterName()}.`, `step ${step} of ${at}`) })).sample : noise;
          return all.slice(i * each, (i + 1) * each);
        },
      };
    },
  };
  button.addEventListener('click', () => press(pressed === future ? null : future));
}
