// A drawing of the visitor's own: by pointer, or by the arrows and the space bar.
import { make } from '../../ui/dom.js';
import { packed, unpacked } from '../carried.js';

/**
 * @typedef {[x: number, y: number]} Point of the canvas, 0…1
 * @typedef {{ ink: string, points: Point[] }} Stroke
 */

const EDGE = 256, PEN = 22; // pixels
const NEAR = 1 / 128; // of the canvas: a point of a stroke is left out that is nearer than this to the one before
const FINE = 1000, BESIDE = 100; // places across, and beyond its edges: in these an address carries it
const MOVE = 1 / 32; // of the canvas for a press of an arrow
const GROUND = '#000000';
/** @type {Stroke[]} */ const EXAMPLE = [{ ink: '#ffffff', points: [[0.27, 0.27], [0.72, 0.25], [0.45, 0.8]] }];
/** @type {Record<string, Point>} */ const ARROWS = { ArrowLeft: [-MOVE, 0], ArrowRight: [MOVE, 0], ArrowUp: [0, -MOVE], ArrowDown: [0, MOVE] };

export class Drawing {
  /** @type {Stroke[]} */ #strokes = EXAMPLE;
  /** @type {Point} */ #pen = [0.5, 0.5];
  #down = false; // the pen that the keys move
  /** @type {HTMLCanvasElement | null} */ #other = null;
  #canvas; #onChange;
  ink = '#ffffff';

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} onChange hears of every stroke
   */
  constructor(canvas, onChange) {
    this.#canvas = Object.assign(canvas, { width: EDGE, height: EDGE });
    this.#onChange = onChange;
    canvas.addEventListener('pointerdown', (event) => { canvas.setPointerCapture(event.pointerId); this.#begin(this.#at(event)); });
    canvas.addEventListener('pointermove', (event) => { if (canvas.hasPointerCapture(event.pointerId)) this.#on(this.#at(event)); });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    for (const name of ['focus', 'blur']) canvas.addEventListener(name, () => { this.#down = false; this.#draw(); });
  }

  /** Whether the visitor has drawn nothing yet. */
  get example() { return this.#strokes === EXAMPLE; }

  /** The drawing in few characters: of each stroke its ink and its points. */
  get text() {
    return this.example ? '' : this.#strokes.map(({ ink, points }) => ink.slice(1) + packed(points.flat().map((at) => Math.round(at * FINE) + BESIDE))).join('.');
  }

  /**
   * Takes a drawing from its text; whether it is one.
   * @param {string} text
   */
  read(text) {
    const strokes = text.split('.').map((one) => ({ ink: `#${one.slice(0, 6)}`, all: (unpacked(one.slice(6)) ?? []).map((at) => (at - BESIDE) / FINE) }));
    if (!strokes.every(({ ink, all }) => /^#[0-9a-f]{6}$/.test(ink) && all.length && all.length % 2 === 0)) return false;
    this.#strokes = strokes.map(({ ink, all }) => ({ ink, points: Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i], all[2 * i + 1]]) }));
    this.#onChange();
    return true;
  }

  clear() {
    this.#strokes = EXAMPLE;
    this.#down = false;
    this.#onChange();
  }

  /**
   * Shows the drawing, or another picture in its place.
   * @param {HTMLCanvasElement | null} other
   */
  show(other) {
    this.#other = other;
    this.#draw();
  }

  /** The drawing as a picture. */
  square() {
    const canvas = make('canvas', { width: EDGE, height: EDGE });
    paint(/** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), this.#strokes);
    return canvas;
  }

  /** @param {PointerEvent} event @returns {Point} */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** @param {Point} point */
  #begin(point) {
    if (this.example || this.#other) this.#strokes = [];
    this.#strokes = [...this.#strokes, { ink: this.ink, points: [placed(point)] }];
    this.#pen = point;
    this.#onChange();
  }

  /** @param {Point} point */
  #on(point) {
    this.#pen = point;
    const points = this.#strokes.at(-1)?.points ?? [], [x, y] = points[points.length - 1] ?? [Infinity, 0];
    if (Math.hypot(point[0] - x, point[1] - y) >= NEAR) points.push(placed(point));
    this.#draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = ARROWS[event.key];
    if (by) {
      const [x, y] = this.#pen.map((value, i) => Math.max(0, Math.min(1, value + by[i])));
      if (this.#down) this.#on([x, y]); else this.#pen = [x, y];
    } else if (event.key === ' ') {
      this.#down = !this.#down;
      if (this.#down) this.#begin(this.#pen);
    } else return;
    event.preventDefault();
    this.#draw();
  }

  #draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d'));
    if (this.#other) return context.drawImage(this.#other, 0, 0, EDGE, EDGE);
    paint(context, this.#strokes);
    if (document.activeElement !== this.#canvas || !this.#canvas.matches(':focus-visible')) return undefined;
    context.strokeStyle = this.#down ? '#ff97bd' : '#74c7ee'; // where the keys' pen is
    context.lineWidth = 3;
    context.beginPath();
    context.arc(this.#pen[0] * EDGE, this.#pen[1] * EDGE, PEN / 2 + 2, 0, 2 * Math.PI);
    return context.stroke();
  }
}

/** A point where an address can have it, which is not far from the canvas. */
const placed = (/** @type {Point} */ point) => /** @type {Point} */ (point.map((at) => Math.max(-BESIDE, Math.min(FINE + BESIDE, Math.round(at * FINE))) / FINE));

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke[]} strokes
 */
function paint(context, strokes) {
  context.fillStyle = GROUND;
  context.fillRect(0, 0, EDGE, EDGE);
  Object.assign(context, { lineWidth: PEN, lineCap: 'round', lineJoin: 'round' });
  for (const { ink, points } of strokes) {
    context.strokeStyle = ink;
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x * EDGE, y * EDGE) : context.moveTo(x * EDGE, y * EDGE)));
    if (points.length === 1) context.lineTo(points[0][0] * EDGE, points[0][1] * EDGE); // a dot
    context.stroke();
  }
}
