// How long the training that is set up will take, going by the last one on this page, or by the section on speed.
import { pollen } from '../../api/pollen.js';
import { $, fields } from '../../ui/dom.js';
import { counted, seconds } from '../../ui/numbers.js';
import { adapterName } from '../../ui/runs.js';
import { network } from './sizes.js';

/** @typedef {{ size: string, edge: number, channels: number, batch: number }} Work of a step */

export const AT_ONCE = 32; // pictures on the device at a time; a larger batch is gathered
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
  if (asked) estimate(asked);
}

/** @param {number} flops of a step as it is set up */
export function estimate(flops) {
  asked = flops;
  const steps = field.steps.valueAsNumber;
  $('t-estimate').textContent = each === null ? 'How long it takes is said after the first steps.'
    : steps > 0 ? `About ${seconds(each * flops * steps)} for ${counted(steps, 'step')} on ${adapterName()}, going by what was measured here last.` : '';
}
