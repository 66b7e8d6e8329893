// The strip of small pictures: x_t at evenly spaced signal-to-noise ratios.
import { drawGrid } from '../../ui/canvas.js';
import { $, make } from '../../ui/dom.js';
import { evenlySpaced } from './schedule.js';

const FRAMES = 8; // after t = 0

/** @type {Map<number, HTMLCanvasElement>} */ let film = new Map(); // by t

/**
 * An empty strip for a schedule; `onPick(t)` hears of a picture that is chosen.
 * @param {import('../../api/types.js').Schedule} schedule
 * @param {(t: number) => void} onPick
 * @returns {number[]} its timesteps
 */
export function layFilm(schedule, onPick) {
  const timesteps = [0, ...evenlySpaced(schedule, FRAMES)];
  film = new Map();
  $('film').replaceChildren(...timesteps.map((t) => {
    const item = make('li'), button = make('button', { type: 'button' }), picture = make('canvas');
    button.append(picture, `t = ${t}`);
    button.addEventListener('click', () => onPick(t));
    item.append(button);
    film.set(t, picture);
    return item;
  }));
  return timesteps;
}

/**
 * Draws x_t where the strip shows that t.
 * @param {number} t
 * @param {Uint8ClampedArray} rgba
 * @param {number} size
 */
export function drawFilm(t, rgba, size) {
  const small = film.get(t);
  if (small) drawGrid(small, rgba, { width: size, height: size });
}

/** @param {number} t the timestep that is shown */
export function markFilm(t) {
  for (const [of, picture] of film) picture.parentElement?.setAttribute('aria-current', String(of === t));
}
