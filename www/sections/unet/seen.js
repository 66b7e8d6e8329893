// The network that was opened, and whether it is the one that the engine still has.
import { pollen } from '../../api/pollen.js';
import { named } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';

/**
 * Numbers of another network, which may be of the same shape, must not be shown as this one's.
 * @param {{ model: import('../../api/types.js').Model }} seen
 */
export function mustBeLoaded({ model }) {
  if (pollen.model !== model) throw new Error('Another model has been loaded since. Press “Look inside” again.');
}

/** Says what went wrong, but for what was cancelled. @param {unknown} error */
export function objectTo(error) {
  if (named(error).name !== 'AbortError') complain(error);
}
