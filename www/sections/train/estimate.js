// How long the training that is set up will take, going by the last one on this page or by the section on speed; before there was one,
// by the pictures that were made.
import { pollen } from '../../api/pollen.js';
import { $, fields } from '../../ui/dom.js';
import { counted, roughly, seconds } from '../../ui/numbers.js';
import { expected } from '../../ui/pace.js';
import { adapterName } from '../../ui/runs.js';
import { network } from './sizes.js';

/** @typedef {{ size: string, edge: number, channels: number, batch: number }} Work of a step */

export const AT_ONCE = 32; // pictures on the device at a time; a larger batch is gathered
const SLOWER = 2.2; // a FLOP of a training than one of a picture: measured with 0.69 M parameters at 32 × 32, on the processor
const field = fields('train-form');
/** @type {number | null} */ let each = null; // milliseconds for a FLOP
let asked = 0; // FLOP of a step, as they were estimated last

/** What a step needs of the device, and its FLOP, before anything is allocated. */
export async function costOf(/** @type {Work} */ { size, edge, channels, batch }) {
  const at = Math.min(batch, AT_ONCE), need = await pollen.inspectTraining({ config: network({ size, edge, channels }), batch: at });
  return { ...need, flops: Math.ceil(batch / at) * need.flops_per_step };
}

/**
 * @param {Work} work
 * @param {number} ms that a step of it took, samples and what was kept among it
 */
export async function trained(work, ms) {
  if (ms > 0) each = ms / (await costOf(work)).flops;
  if (asked) await estimate(asked);
}

/** @param {number} flops of a step as it is set up */
export async function estimate(flops) {
  asked = flops;
  const reckoned = each === null ? await byPasses() : each, steps = field.steps.valueAsNumber;
  if (asked !== flops) return;
  const ms = reckoned * flops * steps, what = `for ${counted(steps, 'step')} on ${adapterName()}`;
  $('t-estimate').textContent = !(steps > 0) ? '' : each !== null ? `About ${seconds(ms)} ${what}, going by what was measured here last.`
    : ms > 0 ? `Roughly ${roughly(ms)} ${what}, reckoned from the pictures made here; the first steps say it better.` : 'How long it takes is said after the first steps.';
}

/** Milliseconds for a FLOP, by the passes of the network that is loaded; NaN where none was timed. */
async function byPasses() {
  const ms = expected(`pass ${pollen.model?.id}`, 1);
  if (!(ms > 0)) return NaN;
  return pollen.inspect({ batch: 1 }).then(({ flops_per_step: flops }) => (SLOWER * ms) / flops, () => NaN); // a device that is lost says so elsewhere
}

document.addEventListener('timed', () => { if (asked && each === null) estimate(asked); });
