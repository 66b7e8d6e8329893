// From the noise of one seed to that of another along the sphere (slerp), and the pictures on the way.
import { pollen } from '../../api/pollen.js';
import { $, fields } from '../../ui/dom.js';
import { counted, percent, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { slerp } from '../../ui/slerp.js';
import { load } from '../models/shelf.js';
import { forEngine, read } from '../reverse/fields.js';
import { figureOf, row } from './row.js';

const PICTURES = 8;
const field = fields('walk-form');

export function startWalk() {
  $('walk-form').addEventListener('submit', (event) => { event.preventDefault(); walk(); });
}

async function walk() {
  if (busy()) return;
  /** @type {ReturnType<typeof read>} */ let options;
  /** @type {number} */ let other;
  try { options = read(); other = number(field.other); } catch (error) { complain(error); return; }
  const began = performance.now(), share = (/** @type {number} */ i) => i / (PICTURES - 1), { width, height, ...asked } = forEngine(options);
  const result = await run(async (report) => {
    const loaded = await load(report), shape = [1, loaded.channels, height ?? loaded.height, width ?? loaded.width];
    const [a, b] = await Promise.all([options.seed, other].map((seed) => pollen.randn({ seed, shape })));
    const noise = new Float32Array(PICTURES * a.length);
    for (let i = 0; i < PICTURES; i++) noise.set(slerp(a, b, share(i)), i * a.length);
    return pollen.generate({
      ...asked, ...(width ? { width, height } : {}), count: PICTURES, noise,
      onStep: ({ step, steps }) => report(step, steps, `From seed ${options.seed} to seed ${other}, on ${adapterName()}.`, `step ${step} of ${steps}`),
    });
  });
  if (!result) return;
  const grid = { count: PICTURES, width: result.shape[3], height: result.shape[2] };
  $('b-walk').replaceChildren(figureOf(row(result.rgba, grid, (i) => `${percent(share(i))} of the way from seed ${options.seed} to seed ${other}`), `From seed ${options.seed}, left, to seed ${other}, right.`));
  $('b-walk').hidden = false;
  say(`Done: ${counted(PICTURES, 'picture')} on the way from seed ${options.seed} to seed ${other} in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}
