// Other futures of a run: from the x_t of a frame of the film, DDPM goes on with fresh noise, and the branches are kept side by side.
import { pollen } from '../../api/pollen.js';
import { $, fields, make } from '../../ui/dom.js';
import { counted, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { commonOf, shownFrame, stateOf } from './frame.js';
import { figureOf, row } from './row.js';

const FUTURES = 4, MOST = 8; // of a branch; branches
const field = fields('branch-form'), list = $('b-branches', HTMLOListElement);

export function startBranches() {
  $('branch-form').addEventListener('submit', (event) => { event.preventDefault(); branch(); });
  $('b-prune').addEventListener('click', () => { list.replaceChildren(); showTools(); });
  showTools();
}

const showTools = () => { $('b-prune').hidden = list.hidden = !list.childElementCount; };

/** The frame of the film, of which enough is left to draw noise in. */
function wanted() {
  const from = shownFrame();
  if (from.rest.length < 2) throw new Error(`After this frame of the film ${from.rest.length ? 'one step is' : 'no step is'} left, in which no noise is drawn any more. Go back in the film and branch an earlier frame.`);
  return from;
}

/** Adds a branch: its picture and the futures that fresh noise leads to. */
async function branch() {
  if (busy()) return;
  /** @type {ReturnType<typeof wanted>} */ let from;
  /** @type {number} */ let seed;
  try { from = wanted(); seed = number(field.fresh); } catch (error) { complain(error); return; }
  const { options, model, rest, pictures, numbers: { count, width, height } } = from, began = performance.now();
  const t = rest[0] + 1;
  const result = await run(async (report) => {
    const first = await stateOf(from, report), noise = new Float32Array(FUTURES * first.length);
    for (let i = 0; i < FUTURES; i++) noise.set(first, i * first.length);
    return pollen.generate({
      ...commonOf(from), sampler: 'ddpm', ...(model.variance?.startsWith('learned') ? {} : { variance: 'fixed_small' }), timesteps: rest, noise, seed, count: FUTURES,
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
