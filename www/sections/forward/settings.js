// The settings of the forward chain.
import { fields } from '../../ui/dom.js';
import { number } from '../../ui/runs.js';

/** @import { DiffuseOptions } from '../../api/types.js' */

export const field = fields('forward-form');

export function read() {
  return {
    size: number(field.size),
    channels: /** @type {1 | 3} */ (Number(field.channels.value)),
    schedule: /** @type {DiffuseOptions['schedule']} */ (field.schedule.value),
    steps: number(field.T),
    betaStart: number(field.betaStart),
    betaEnd: number(field.betaEnd),
    seed: number(field.noise),
  };
}

export function setBetaFields() {
  const free = field.schedule.value !== 'cosine';
  field.betaStart.disabled = field.betaEnd.disabled = !free;
}
