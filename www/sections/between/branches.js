// Other futures of a run: from the x_t of a frame of the film, DDPM goes on with fresh noise, and the branches are kept side by side.
import { pollen } from '../../api/pollen.js';
import { $, fields, make } from '../../ui/dom.js';
import { counted, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { SAMPLERS } from '../../ui/samplers.js';
import { chosen, load } from '../models/shelf.js';
import { forEngine } from '../reverse/fields.js';
import { current } from '../reverse/film.js';
import { figureOf, row } from './row.js';

const STATE = ['ddim', 'ddpm', 'dpmpp-2m', 'unipc', 'lcm', 'tcd']; // those whose state is x_t itself
const FUTURES = 4, MOST = 8; // of a branch; branches
const field = fields('branch-form'), list = $('b-branches', HTMLOListElement);

export function startBranches() {
  $('branch-form').addEventListener('submit', (event) => { event.preventDefault(); branch(); });
  $('b-prune').addEventListener('click', () => { list.replaceChildren(); showTools(); });
  showTools();
}

const showTools = () => { $('b-prune').hidden = list.hidden = !list.childElementCount; };

/** Why the film as it is shown cannot be branched, or what is to go on from it. */
function wanted() {
  const shown = current();
  if (!shown) throw new Error('There is no run to branch yet. Press Generate and stop its film at the frame from which other futures shall lead.');
  const { options, model, steps, index, frames } = shown, { title } = SAMPLERS[options.sampler];
  if (model !== chosen()) throw new Error(`The film is one of ${model.title}, which is not the model that is chosen now. Choose it again, or generate anew.`);
  if (!STATE.includes(options.sampler)) throw new Error(`${title} does not hold x_t itself. Generate with ${STATE.slice(0, 4).map((name) => SAMPLERS[name].title).join(', ')} and branch that.`);
  const rest = steps.slice(index + 1, frames.last + 1).map(({ t }) => Math.round(t) - 1);
  if (rest.length < 2) throw new Error(`After this frame of the film ${rest.length ? 'one step is' : 'no step is'} left, in which no noise is drawn any more. Go back in the film and branch an earlier frame.`);
  return { ...shown, rest };
}

/** Adds a branch: its picture and the futures that fresh noise leads to. */
async function branch() {
  if (busy()) return;
  /** @type {ReturnType<typeof wanted>} */ let from;
  /** @type {number} */ let seed;
  try { from = wanted(); seed = number(field.fresh); } catch (error) { complain(error); return; }
  const { options, model, index, rest, pictures, numbers: { count, width, height } } = from, began = performance.now();
  const { steps: _, eta: __, sampler: ___, scheduler: ____, ...common } = /** @type {ReturnType<typeof forEngine> & { scheduler?: object }} */ (forEngine(/** @type {any} */ (options)));
  const t = rest[0] + 1;
  const result = await run(async (report) => {
    const { channels } = await load(report), shape = [count, channels, height, width];
    const before = index
      ? (await pollen.generate({ ...forEngine(/** @type {any} */ (options)), until: index, onStep: ({ step }) => report(step, index, `Going to t = ${t} again, on ${adapterName()}.`, `step ${step} of ${index}`) })).sample
      : await pollen.randn({ seed: options.seed, shape });
    const first = before.subarray(0, before.length / count), noise = new Float32Array(FUTURES * first.length);
    for (let i = 0; i < FUTURES; i++) noise.set(first, i * first.length);
    return pollen.generate({
      ...common, sampler: 'ddpm', ...(model.variance?.startsWith('learned') ? {} : { variance: 'fixed_small' }), timesteps: rest, noise, seed, count: FUTURES,
      onStep: ({ step, steps }) => report(step, steps, `Other futures from t = ${t}, on ${adapterName()}.`, `step ${step} of ${steps}`),
    });
  });
  if (!result) return;
  const item = make('li', { value: t }), name = `From t = ${t} of seed ${options.seed}, fresh noise ${seed}`;
  item.append(figureOf([
    ...row(pictures.xt, { count, width, height }, () => `x t at t = ${t}, from which the futures lead`, 1),
    ...row(result.rgba, { count: FUTURES, width, height }, (i) => `Future ${i + 1} of t = ${t}, fresh noise ${seed}`),
  ], `${name}.`));
  const later = /** @type {HTMLLIElement[]} */ ([...list.children]).find(({ value }) => value < t); // from the noise on, as time goes
  list.insertBefore(item, later ?? null);
  while (list.childElementCount > MOST) list.lastElementChild?.remove();
  showTools();
  field.fresh.value = String(seed + 1);
  say(`Done: ${counted(FUTURES, 'future')} of the run from t = ${t} in ${counted(rest.length, 'step')} of DDPM each, in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}
