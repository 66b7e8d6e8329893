// The plane of the data set's pictures: they at their places, the samples' ways to them, and beside it how much each picture weighs in
// the prediction of the first sample.
import { $, make } from '../../ui/dom.js';
import { counted } from '../../ui/numbers.js';
import { drawPlane } from '../plane/drawing.js';
import { sigmaAt } from '../plane/exact.js';
import { weighted } from '../plane/probe.js';
import { weightsAt } from '../plane/score.js';
import { placesOf, principal } from './principal.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {{ weights: Float64Array, t: number, at: number }} Told of the first sample before a step; at: the place of its state in the path
 */

const ROOM = 1.35; // of the plane, round the picture that is furthest out
const canvas = $('best-plane-canvas', HTMLCanvasElement);
/** @type {Ways | null} */ let shown = null;
let box = { width: 0, height: 0 };

new ResizeObserver(([{ borderBoxSize: [{ inlineSize, blockSize }] }]) => {
  box = { width: inlineSize, height: blockSize };
  shown?.draw();
}).observe(canvas);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => shown?.draw());

/** The ways of a run's samples. */
export class Ways {
  #step = 0;
  /** @type {Map<number, Told>} */ #told = new Map();
  /** @type {Point[][]} */ #paths = [];
  #plane; #pictures; #data; #alphaBar; #bars;

  /**
   * @param {Float32Array} data the pictures one after the other
   * @param {HTMLCanvasElement[]} pictures the same to be seen
   * @param {ArrayLike<number>} alphaBar
   */
  constructor(data, pictures, alphaBar) {
    this.#plane = principal(data, pictures.length);
    this.#data = data;
    this.#pictures = pictures;
    this.#alphaBar = alphaBar;
    this.#bars = pictures.map((picture, i) => {
      const row = make('li'), small = make('canvas', { width: 64, height: 64 }), bar = make('span', { className: 'bar' }), out = make('span', { className: 'out' });
      small.getContext('2d')?.drawImage(picture, 0, 0, 64, 64);
      small.setAttribute('aria-hidden', 'true');
      row.append(make('span', { textContent: String(i + 1) }), small, bar, out);
      return { row, bar, out };
    });
    shown = this;
  }

  /** A step of the chain. @param {{ step: number, t: number, tNext: number, before: ArrayLike<number>, after: ArrayLike<number>, corrects: boolean }} step */
  take({ step, t, tNext, before, after, corrects }) {
    const left = (/** @type {number} */ time) => 1 / (1 + sigmaAt(this.#alphaBar, time) ** 2);
    if (!this.#paths.length) this.#paths = placesOf(this.#plane, before, left(t)).map((place) => [place]);
    const first = Array.prototype.slice.call(before, 0, this.#plane.mean.length);
    this.#told.set(step, { weights: weightsAt(first, this.#data, left(t)), t, at: this.#paths[0].length - 1 });
    placesOf(this.#plane, after, left(tNext)).forEach((place, i) => { if (corrects) this.#paths[i].pop(); this.#paths[i].push(place); });
  }

  /** What stood before a step. @param {number} step */
  show(step) {
    this.#step = step;
    const told = this.#told.get(step);
    if (!told) return;
    const { weights, t } = told, several = weights.length > 1;
    $('best-live', MathMLElement).innerHTML = `<msub><mover><mi>x</mi><mo>^</mo></mover><mn>0</mn></msub><mo>=</mo>${weighted(weights, (i) => `<msub class="signal"><mi>y</mi><mn>${i + 1}</mn></msub>`, 4)}<mspace width="0.8em"></mspace><mtext>at</mtext><mspace width="0.4em"></mspace><mi>t</mi><mo>=</mo><mn>${Math.round(t)}</mn>`;
    $('best-plane').hidden = !several;
    if (!several) return;
    $('best-weights').replaceChildren(...this.#bars.map(({ row }) => row));
    this.#bars.forEach(({ bar, out }, i) => {
      bar.style.inlineSize = `${100 * weights[i]}%`;
      out.textContent = weights[i].toFixed(3);
    });
    $('best-weights-at').textContent = String(Math.round(t));
    this.draw();
  }

  draw() {
    const { places } = this.#plane, told = this.#told.get(this.#step), weights = told?.weights;
    if (places.length < 2 || !box.width) return;
    const x0 = /** @type {Point} */ ([0, 1].map((k) => places.reduce((sum, place, i) => sum + (weights?.[i] ?? 0) * place[k], 0)));
    const reach = ROOM * Math.max(4, ...places.flat().map(Math.abs));
    drawPlane(canvas, box, { points: places, pictures: this.#pictures, paths: this.#paths, reach, probe: told ? { x: this.#paths[0][Math.min(told.at, this.#paths[0].length - 1)], x0 } : null });
    canvas.parentElement?.classList.add('drawn');
    canvas.setAttribute('aria-label', `${counted(places.length, 'picture')} in their plane, and ${counted(this.#paths.length, 'path')} from noise`);
  }
}
