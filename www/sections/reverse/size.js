// The size of the pictures, where the model's configuration leaves it open.
import { $, fields } from '../../ui/dom.js';
import { number } from '../../ui/runs.js';

/** @import { Entry } from '../models/entry.js' */

const field = fields('reverse-form'), whole = $('size-field');
/** @type {Entry | null} */ let offered = null;

/**
 * Shows the fields where the model has no size of its own.
 * @param {Entry} model
 */
export function offerSize(model) {
  whole.hidden = !model.open;
  field.width.disabled = field.height.disabled = whole.hidden;
  if (!model.open || model === offered) return;
  offered = model;
  field.width.value = String(model.open.width);
  field.height.value = String(model.open.height);
}

/** What `generate` is asked for beside the rest. */
export const askedSize = () => (whole.hidden ? {} : { width: number(field.width), height: number(field.height) });
