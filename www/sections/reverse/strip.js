// The way of a run's first picture out of noise: small frames, evenly over the chain, under both of its large pictures.
import { $, make } from '../../ui/dom.js';

/** @import { Run } from './film.js' */

const MOST = 8; // frames
const lists = [$('chain-strip', HTMLOListElement), $('hero-strip', HTMLOListElement)];
/** @type {[number, HTMLButtonElement][]} */ let buttons = []; // by frame

/** Evenly spaced ones of the frames that were kept, the first and the last among them: timesteps and frames. */
function picked(/** @type {Run} */ { frames: { last, stride }, steps }) {
  const count = Math.min(MOST, last + 1), evenly = Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
  const kept = evenly.map((index) => (index === last ? last : index - (index % stride)));
  // One a timestep: a solver that asks twice a step comes to some of them twice.
  return [...new Map(kept.map((index) => [Math.round(index ? steps[index].tNext : steps[1].t), index]))];
}

/**
 * Fills both strips from what the run has kept; `onPick(index)` hears of a frame that is pressed.
 * @param {Run} run
 * @param {(index: number) => void} onPick
 */
export function layStrip(run, onPick) {
  const { width, height, count } = run.steps[1], all = picked(run), across = Math.ceil(Math.sqrt(count));
  buttons = [];
  for (const list of lists) {
    list.replaceChildren(...all.map(([t, index]) => {
      const item = make('li'), button = make('button', { type: 'button' }), picture = make('canvas', { width, height });
      const rgba = /** @type {Uint8ClampedArray<ArrayBuffer>} */ (run.frames.get(index)?.xt);
      picture.getContext('2d')?.putImageData(new ImageData(rgba, across * width), 0, 0, 0, 0, width, height);
      button.append(picture, make('span', { textContent: 't = ' }), String(t));
      button.setAttribute('aria-label', `Frame at t = ${t}`);
      button.addEventListener('click', () => onPick(index));
      item.append(button);
      buttons.push([index, button]);
      return item;
    }));
  }
}

/** @param {boolean} locked while another run goes on */
export function lockStrip(locked) {
  for (const [, button] of buttons) button.disabled = locked;
}

/** @param {number} index the frame that is shown */
export function markStrip(index) {
  for (const [of, button] of buttons) button.setAttribute('aria-current', String(of === index));
}
