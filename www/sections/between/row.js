// Pictures of one run in a row.
import { pacing } from '../../ui/canvas.js';
import { $, make } from '../../ui/dom.js';
import { counted } from '../../ui/numbers.js';
import { say } from '../../ui/runs.js';

/** @import { ReverseStep } from '../../api/types.js' */

/**
 * The first `shown` pictures of a grid as `generate` gives it, each by itself.
 * @param {Uint8ClampedArray} rgba
 * @param {{ count: number, width: number, height: number }} grid
 */
export function cells(rgba, { count, width, height }, shown = count) {
  const across = Math.ceil(Math.sqrt(count));
  return Array.from({ length: shown }, (_, i) => {
    const cell = new Uint8ClampedArray(4 * width * height), from = Math.floor(i / across) * height * across + (i % across);
    for (let y = 0; y < height; y++) cell.set(rgba.subarray(4 * (from + y * across) * width, 4 * (from + y * across + 1) * width), 4 * y * width);
    return cell;
  });
}

/**
 * A canvas for each of the first `shown` pictures of a grid as `generate` gives it.
 * @param {Uint8ClampedArray} rgba
 * @param {{ count: number, width: number, height: number }} grid
 * @param {(place: number) => string} name of a picture
 */
export function row(rgba, { count, width, height }, name, shown = count) {
  return cells(rgba, { count, width, height }, shown).map((cell, i) => {
    const canvas = make('canvas', { width, height });
    canvas.getContext('2d')?.putImageData(new ImageData(cell, width), 0, 0);
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', name(i));
    return canvas;
  });
}

/**
 * One of several rows: pictures and what they are.
 * @param {HTMLCanvasElement[]} pictures
 * @param {string} caption
 */
export function figureOf(pictures, caption) {
  const figure = make('figure', { className: 'picture row-of' }), line = make('div');
  line.append(...pictures);
  figure.append(line, make('figcaption', { textContent: caption }));
  return figure;
}

/**
 * What a run has made until now, drawn as it comes: `take` its steps; `keep` what a run that ended early has made last.
 * @param {(step: ReverseStep, after: string) => void} draw with ", after step 3 of 10"
 */
export function asItComes(draw) {
  const drawNow = pacing();
  /** @type {ReverseStep | null} */ let last = null;
  const show = (/** @type {ReverseStep} */ step) => draw(step, `, after step ${step.step} of ${step.steps}`);
  return {
    take(/** @type {ReverseStep} */ step) {
      last = step;
      if (drawNow(step.step === step.steps)) show(step);
    },
    keep() {
      if (!last) return;
      show(last);
      say(`${$('status').textContent} What was made until then, ${last.step} of ${counted(last.steps, 'step')}, is kept.`);
    },
  };
}
