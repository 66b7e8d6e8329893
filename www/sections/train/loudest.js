// The block of the network that the last steps of a training change most.
import { figure } from '../../ui/numbers.js';
import { blockOf, titleOf } from '../unet/blocks.js';

/** @param {Record<string, number>} norms of the gradient by tensor */
export function loudest(norms) {
  /** @type {Map<string, number>} */ const squares = new Map();
  for (const [tensor, norm] of Object.entries(norms)) {
    const block = blockOf(tensor);
    squares.set(block, (squares.get(block) ?? 0) + norm * norm);
  }
  const [block, most] = [...squares].reduce((a, b) => (b[1] > a[1] ? b : a));
  return `${titleOf(block)}${block === 'time' ? '' : ` ${block}`}, ${figure(Math.sqrt(most))}`;
}
