// What was generated in this visit: small pictures that bring their runs back.
import { Frames } from '../../ui/canvas.js';
import { $, make } from '../../ui/dom.js';
import { counted } from '../../ui/numbers.js';

/** @import { Run } from './film.js' */

const MOST = 18; // runs
const BYTES = 96e6; // of films that are kept; of older runs the settings are left, by which they are made again

/** @typedef {{ run: Run, whole: boolean, button: HTMLButtonElement }} Kept */
/** @type {Kept[]} */ let all = [];
const list = $('gallery', HTMLOListElement);

/** Bytes of a run's film. */
function weight(/** @type {Run} */ { frames }) {
  const last = frames.get(frames.last);
  return last ? (Math.floor(frames.last / frames.stride) + 1) * 3 * last.xt.length : 0;
}

/**
 * Adds a finished run, and shows which one is in the film.
 * @param {Run} run
 * @param {HTMLCanvasElement} canvas its pictures
 * @param {(run: Run, whole: boolean) => void} bring brings a run back, whose film is `whole` still or has to be made again
 */
export function remember(run, canvas, bring) {
  const same = all.find(({ run: { options } }) => JSON.stringify(options) === JSON.stringify(run.options));
  if (same) Object.assign(same, { run, whole: true });
  else {
    const button = make('button', { type: 'button' }), picture = make('canvas', { width: canvas.width, height: canvas.height }), { count, seed } = run.options;
    picture.getContext('2d')?.drawImage(canvas, 0, 0);
    button.append(picture, `seed ${seed}`);
    button.setAttribute('aria-label', `Bring back ${counted(count, 'picture')} of ${run.about.replace(/\.$/, '')}`);
    /** @type {Kept} */ const kept = { run, whole: true, button };
    button.addEventListener('click', () => bring(kept.run, kept.whole));
    all = [kept, ...all].slice(0, MOST);
  }
  let left = BYTES;
  for (const kept of all) {
    if (kept.whole && (left -= weight(kept.run)) < 0 && kept.run !== run) Object.assign(kept, { whole: false, run: { ...kept.run, frames: new Frames(0, 0), steps: [] } });
  }
  list.replaceChildren(...all.map(({ button }) => { const item = make('li'); item.append(button); return item; }));
  $('gallery-title').hidden = list.hidden = all.length < 2;
  mark(run);
}

/** @param {Run} run that the film shows */
export function mark(run) {
  for (const kept of all) kept.button.setAttribute('aria-current', String(kept.run === run));
}
