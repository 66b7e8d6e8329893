// From one noise to another along the sphere (slerp), of seeds or of pictures, and the pictures on the way.
import { pollen } from '../../api/pollen.js';
import { $, fields } from '../../ui/dom.js';
import { counted, percent, seconds } from '../../ui/numbers.js';
import { timed } from '../../ui/pace.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { slerp } from '../../ui/slerp.js';
import { chosen, load } from '../models/shelf.js';
import { forEngine, read } from '../reverse/fields.js';
import { foundFor } from './inversion.js';
import { asItComes, cells, figureOf, row } from './row.js';
import { makers, takeLine } from './take.js';

/** @import { Taken } from './take.js' */

const PICTURES = 8;
const field = fields('walk-form');

export function startWalk() {
  makers.walk = { form: 'walk-form', press: 'Walk there', again: walk };
  $('walk-form').addEventListener('submit', (event) => { event.preventDefault(); walk(); });
}

/** The noise of a seed as an end of the walk. */
const seedOf = (/** @type {number} */ seed) => ({ name: `seed ${seed}`, seed, noise: null });

/**
 * The noise of the pictures that were inverted last, as many as are needed.
 * @param {Parameters<typeof foundFor>[0]} model
 * @param {number} count
 */
function pictures(model, count) {
  const found = foundFor(model);
  if (found.length >= count) return found;
  throw new Error(`${found.length ? 'The noise of one picture alone' : 'No noise of a picture'} is found for this model. Choose ${count > 1 ? 'two pictures, one after the other,' : 'a picture'} under “A picture’s own noise” and press “Find its noise and come back”.`);
}

/** @returns {Promise<Taken | undefined>} unless it stopped */
async function walk() {
  if (busy()) return undefined;
  /** @type {ReturnType<typeof read>} */ let options;
  /** @type {number} */ let other;
  try { options = read(); other = number(field.other); } catch (error) { complain(error); return undefined; }
  const began = performance.now(), share = (/** @type {number} */ i) => i / (PICTURES - 1), ends = field.ends.value, { width, height, ...asked } = forEngine(options);
  let [start, end] = ['', ''];
  const draw = (/** @type {Uint8ClampedArray} */ rgba, /** @type {{ width: number, height: number }} */ { width, height }, after = '') => {
    $('b-walk').replaceChildren(figureOf(row(rgba, { count: PICTURES, width, height }, (i) => `${percent(share(i))} of the way from ${start} to ${end}${after}`), `From ${start}, left, to ${end}, right${after}.`));
    $('b-walk').hidden = false;
  };
  const live = asItComes((step, after) => draw(step.xt, step, after));
  const model = chosen(), result = await run(async (report) => {
    const loaded = await load(report, model), of = ends === 'seeds' ? null : pictures(loaded, ends === 'pictures' ? 2 : 1);
    const [from, to] = of ? (ends === 'pictures' ? [of[1], of[0]] : [of[0], seedOf(other)]) : [seedOf(options.seed), seedOf(other)];
    const shape = of?.[0].shape ?? [1, loaded.channels, height ?? loaded.height, width ?? loaded.width];
    const [a, b] = await Promise.all([from, to].map((end) => end.noise ?? pollen.randn({ seed: /** @type {{ seed: number }} */ (end).seed, shape })));
    [start, end] = [from.name, to.name];
    const noise = new Float32Array(PICTURES * a.length);
    for (let i = 0; i < PICTURES; i++) noise.set(slerp(a, b, share(i)), i * a.length);
    const made = await pollen.generate({
      ...(of ? of[0].road : { ...asked, ...(width ? { width, height } : {}) }), count: PICTURES, noise,
      onStep(step) {
        report(step.step, step.steps, `From ${start} to ${end}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        live.take(step);
      },
    });
    return { ...made, passes: made.steps * (!of && (asked.guidance ?? 1) !== 1 ? 2 : 1), a, b, found: of?.slice(0, ends === 'pictures' ? 2 : 1).map(({ given }) => given).reverse() };
  });
  if (!result) { live.keep(); return undefined; }
  timed(`pass ${model?.id}`, PICTURES * result.passes, 1000 * result.seconds);
  const { found, rgba, shape: [, , tall, wide] } = result;
  draw(rgba, { width: wide, height: tall });
  /** @type {Taken} */
  const taken = {
    chain: 'walk', what: `the way from ${start} to ${end}`, parts: ['walk', options.model, ends === 'seeds' ? `seed${options.seed}` : ends, ends === 'pictures' ? '' : `seed${other}`],
    cells: cells(rgba, { count: PICTURES, width: wide, height: tall }), columns: PICTURES, width: wide, height: tall, settings: { ...options, 'walk.ends': ends, 'walk.other': other }, found, entry: model, files: pollen.files,
  };
  $('b-walk').append(takeLine(taken));
  const { alongWalk } = await import('./slerp-live.js');
  alongWalk($('b-walk'), { ...result, from: start, to: end, count: PICTURES });
  say(`Done: ${counted(PICTURES, 'picture')} on the way from ${start} to ${end} in ${seconds(performance.now() - began)} on ${adapterName()}.`);
  return taken;
}
