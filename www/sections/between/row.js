// Pictures of one run in a row.
import { make } from '../../ui/dom.js';

/**
 * A canvas for each of the first `shown` pictures of a grid as `generate` gives it.
 * @param {Uint8ClampedArray} rgba
 * @param {{ count: number, width: number, height: number }} grid
 * @param {(place: number) => string} name of a picture
 */
export function row(rgba, { count, width, height }, name, shown = count) {
  const across = Math.ceil(Math.sqrt(count)), all = new ImageData(new Uint8ClampedArray(rgba), across * width);
  return Array.from({ length: shown }, (_, i) => {
    const canvas = make('canvas', { width, height });
    canvas.getContext('2d')?.putImageData(all, -(i % across) * width, -Math.floor(i / across) * height);
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
