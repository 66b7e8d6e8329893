// The open network as it was recorded, before a visitor has opened one: its diagram with a picture of each block.
import { drawGrid } from '../../ui/canvas.js';
import { $ } from '../../ui/dom.js';
import { signed } from '../../ui/signed.js';
import { drawNetwork, lastOf } from './drawing.js';

/**
 * @import { NetworkOperation } from '../../api/types.js'
 * @import { Diagram } from './blocks.js'
 *
 * @typedef {object} Example
 * @property {string} title of the model
 * @property {number} seed
 * @property {number} t
 * @property {Diagram} network of each block the last operation alone
 * @property {Record<string, [number, number, number]>} shapes by operation
 * @property {Record<string, string>} pictures of the channel that varies most, less its mean, as signed bytes in base64
 */

/** Shows it, unless the network was opened meanwhile; a block that is pressed opens it. @param {() => void} open */
export async function showExample(open) {
  const answer = await fetch(new URL('./example.json', import.meta.url));
  if (!answer.ok) throw new Error(`The recorded network, sections/unet/example.json, could not be fetched: the server answered ${answer.status}. Press “Look inside”.`);
  const { title, seed, t, network, shapes, pictures } = /** @type {Example} */ (await answer.json());
  if (!$('u-figure').hidden) return;
  /** @type {NetworkOperation[]} */ const all = [];
  for (const [place, shape] of Object.entries(shapes)) all[Number(place)] = /** @type {NetworkOperation} */ ({ shape });
  for (const [block, button] of drawNetwork($('u-network'), network, all, open)) {
    const place = lastOf(block), canvas = button.querySelector('canvas'), [, height, width] = all[place].shape;
    if (canvas) drawGrid(canvas, signed(Int8Array.from(atob(pictures[place]), (byte) => byte.charCodeAt(0)), 0), { width, height });
  }
  $('u-caption').textContent = `A recorded example: what ${title} make of the noise of seed ${seed}, at t = ${t}. Press “Look inside”, or a block, for the network and the frame of part 2.`;
  $('u-figure').hidden = false;
}
