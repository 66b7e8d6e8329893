// The first screen: its two pictures, which follow the chains below, and what they show before anything was pressed.
import { calm, drawGrid, keepFitted, mix, watch } from '../ui/canvas.js';
import { $ } from '../ui/dom.js';
import { live, sub, sum } from '../ui/live.js';
import { percent } from '../ui/numbers.js';
import { evenlySpaced, logSnr } from './forward/schedule.js';

/** @import { Schedule } from '../api/types.js' */
/** @import { Jump } from './forward/jump.js' */

const FRAMES = 60, MS = 3200; // of the picture that dissolves; before an SNR of 30 nobody sees the noise
const HOLD_MS = 800, REST_MS = 700; // as it is, and at its end
const forward = $('hero-forward', HTMLCanvasElement), reverse = $('hero-reverse', HTMLCanvasElement);
const frame = $('hero-forward-frame');
let touched = false; // the forward chain was used
let rest = () => {};
/** Resolves when the first picture has dissolved, or the visitor has begun something else. @type {Promise<void>} */
export const dissolved = new Promise((resolve) => { rest = resolve; });

/** Whether the visitor asked the browser to save data. */
export const saving = () => Boolean(/** @type {any} */ (navigator).connection?.saveData);

export function startArrival() {
  keepFitted(forward);
  keepFitted(reverse);
  watch($('forward-canvas', HTMLCanvasElement), (_, rgba, grid) => {
    touched = true;
    drawGrid(forward, rgba, grid);
  });
}

/**
 * The reverse chain's picture on the first screen.
 * @param {Uint8ClampedArray} rgba
 * @param {import('../ui/canvas.js').Grid} grid
 * @param {string} caption
 * @param {number} alphaBar
 */
export function showReverse(rgba, grid, caption, alphaBar) {
  drawGrid(reverse, rgba, grid);
  mix($('hero-reverse-frame'), alphaBar);
  $('hero-reverse-caption').textContent = caption;
  reverse.setAttribute('aria-label', `Reverse: ${caption}`);
}

/**
 * What stands under the forward chain's picture on the first screen, with the formula that made it.
 * @param {string} caption
 * @param {number} t
 * @param {number} alphaBar
 */
export function captionForward(caption, t, alphaBar) {
  mix(frame, alphaBar);
  live('hero-forward-live', `${sub('x', t)}<mo>=</mo>${sum([[Math.sqrt(alphaBar), sub('x', 0, 'signal')], [Math.sqrt(1 - alphaBar), '<mi class="noise">ε</mi>']])}`);
  $('hero-forward-caption').textContent = caption;
  forward.setAttribute('aria-label', `Forward: ${caption}`);
}

/**
 * Dissolves the picture once, by single jumps, and rests half-way; it stops where the visitor begins.
 * @param {Jump} jump
 * @param {Schedule} schedule
 * @param {string} title
 */
export async function dissolve(jump, schedule, title) {
  try { await play(jump, schedule, title); } finally { rest(); }
}

/** @type {typeof dissolve} */
async function play(jump, schedule, title) {
  touched = false;
  const show = async (/** @type {number} */ t) => {
    const { rgba } = await jump.at(t);
    if (touched) return;
    drawGrid(forward, rgba, { width: jump.size, height: jump.size });
    const left = schedule.alphaBar[t];
    captionForward(`t = ${t} of ${schedule.alphaBar.length - 1}: ${title}, ${percent(left)} picture and ${percent(1 - left)} noise`, t, left);
  };
  const half = schedule.alphaBar.findIndex((alphaBar) => logSnr(alphaBar) <= 0);
  if (calm.matches || saving()) return show(Math.max(0, half));
  const timesteps = [0, ...evenlySpaced(schedule, FRAMES).filter((t) => logSnr(schedule.alphaBar[t]) < 1.5)];
  /** @type {(ms: number) => Promise<unknown>} */
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await show(0);
  await wait(HOLD_MS);
  const began = performance.now();
  for (let shown = 0; shown < timesteps.length - 1;) {
    await new Promise(requestAnimationFrame);
    if (touched) return undefined;
    const now = Math.min(timesteps.length - 1, Math.floor(((performance.now() - began) / MS) * timesteps.length));
    if (now !== shown) await show(timesteps[shown = now]);
  }
  await wait(REST_MS);
  await show(Math.max(0, half));
}
