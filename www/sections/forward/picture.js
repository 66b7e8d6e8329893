// The picture of the forward chain, which other sections use as well.
import { daisy } from '../../files/daisy.js';
import { announce, forgive } from '../../ui/runs.js';
import { openWhole, refuse } from '../whole.js';

const shipped = daisy();
let square = shipped; // its middle square
let title = 'the daisy';

/** The picture's middle square as a canvas, what it is called, and whether every page has it. `document` hears of another one as "picture". */
export const picture = () => ({ square, title, shared: square === shipped });

/**
 * Takes a picture file from the picker, a drop or the clipboard.
 * @param {File | undefined} file
 * @param {boolean} [asItIs] even where it is damaged
 */
export async function take(file, asItIs = false) {
  if (!file) return;
  forgive();
  try {
    use(await openWhole(file, asItIs), file.name || 'the pasted picture');
    announce(`Opened ${title}. Press Diffuse to dissolve it.`);
  } catch (error) {
    refuse(error, () => take(file, true));
  }
}

/**
 * Makes a square the picture of the forward chain.
 * @param {HTMLCanvasElement} picture
 * @param {string} name
 * @param {{ size: number, channels: number }} [as] the size and the channels that it is diffused with
 */
export function use(picture, name, as) {
  [square, title] = [picture, name];
  document.dispatchEvent(new CustomEvent('picture', { detail: as }));
}
