// A mask over a picture at the model's size, painted with a round brush: by pointer, or by the arrows and the space bar.
import { make } from '../../ui/dom.js';

/** @typedef {[x: number, y: number]} Point of the canvas, 0…1 */

const EDGE = 256; // pixels of the canvas, at least
const LARGEST = 2048; // pixels of a picture across
/** @type {Record<string, Point>} */ const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Mask {
  #size = 28;
  #open = new Uint8Array(28 * 28); // 1 where it is painted, to be filled in
  #as = { size: 28, open: this.#open }; // and as it was painted, which it is fitted to a picture from
  /** @type {Uint8ClampedArray} */ #picture = new Uint8ClampedArray(4 * 28 * 28);
  /** @type {Point} */ #brush = [0.5, 0.5];
  /** @type {Point} */ #from = [0.5, 0.5];
  #down = false; // the brush that the keys move
  #canvas; #onChange;
  radius = 2; // pixels of the picture
  erases = false; // uncovers what it goes over

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} onChange hears of every stroke
   */
  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.#onChange = onChange;
    canvas.addEventListener('pointerdown', (event) => { canvas.setPointerCapture(event.pointerId); this.#from = this.#at(event); this.#to(this.#from); });
    canvas.addEventListener('pointermove', (event) => { if (canvas.hasPointerCapture(event.pointerId)) this.#to(this.#at(event)); });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    for (const name of ['focus', 'blur']) canvas.addEventListener(name, () => { this.#down = false; this.#draw(); });
  }

  /** How many pixels are to be filled in. */
  get painted() { return this.#open.reduce((sum, value) => sum + value, 0); }

  /** The mask as `generate` takes it: 1 is known. */
  get known() { return Float32Array.from(this.#open, (value) => 1 - value); }

  /**
   * Shows a picture, RGBA of size × size, under the mask, which is fitted to it.
   * @param {Uint8ClampedArray} picture
   * @param {number} size
   */
  show(picture, size) {
    this.#picture = picture;
    this.#fit(size);
    this.#draw();
  }

  /**
   * Paints all for which `wanted` holds, and nothing else; x and y from 0 to 1.
   * @param {(x: number, y: number) => boolean} wanted
   */
  set(wanted) {
    const size = this.#size;
    this.#open = this.#open.map((_, i) => Number(wanted(((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size)));
    this.#as = { size, open: this.#open };
    this.#down = false;
    this.#draw();
    this.#onChange();
  }

  /** The mask in few characters: its size, then how many pixels are known, painted, known and so on, row by row. */
  get text() {
    const { size, open } = this.#as, runs = [0];
    open.forEach((value, i) => { if (value === (i ? open[i - 1] : 0)) runs[runs.length - 1]++; else runs.push(1); });
    return [size, ...runs].join('.');
  }

  /**
   * Takes a mask from its text; whether it is one.
   * @param {string} text
   */
  read(text) {
    const [size, ...runs] = text.split('.').map(Number), all = runs.reduce((sum, length) => sum + length, 0);
    if (!(/^\d+(\.\d+)+$/.test(text) && size > 0 && size <= LARGEST && all === size * size)) return false;
    const open = new Uint8Array(all);
    let at = 0;
    runs.forEach((length, i) => { open.fill(i % 2, at, at += length); });
    this.#as = { size, open };
    this.#fit(this.#size);
    this.#onChange();
    return true;
  }

  #fit(/** @type {number} */ size) {
    const { size: was, open } = this.#as, place = (/** @type {number} */ i) => Math.floor(((i + 0.5) * was) / size);
    this.#open = Uint8Array.from({ length: size * size }, (_, i) => open[place(Math.floor(i / size)) * was + place(i % size)]);
    this.#size = size;
    this.#draw();
  }

  /** The picture with the hole that is to be filled in, in RGBA. */
  holed() {
    const rgba = new Uint8ClampedArray(this.#picture);
    this.#open.forEach((value, i) => { if (value) rgba.set(i % 2 === Math.floor(i / this.#size) % 2 ? [168, 50, 106, 255] : [198, 92, 142, 255], 4 * i); });
    return rgba;
  }

  /** @param {PointerEvent} event @returns {Point} */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  /** Paints from where the brush was to here. */
  #to(/** @type {Point} */ to) {
    const size = this.#size, [x, y] = this.#from.map((value) => value * size), [dx, dy] = [to[0] * size - x, to[1] * size - y], length = dx * dx + dy * dy;
    for (let i = 0; i < this.#open.length; i++) {
      const [px, py] = [(i % size) + 0.5 - x, Math.floor(i / size) + 0.5 - y];
      const along = length ? Math.max(0, Math.min(1, (px * dx + py * dy) / length)) : 0;
      if (Math.hypot(px - along * dx, py - along * dy) <= this.radius) this.#open[i] = Number(!this.erases);
    }
    this.#as = { size, open: this.#open };
    this.#brush = this.#from = to;
    this.#draw();
    this.#onChange();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const by = ARROWS[event.key];
    if (by) {
      this.#from = this.#brush;
      this.#brush = /** @type {Point} */ (this.#brush.map((value, i) => Math.max(0, Math.min(1, value + by[i] / this.#size))));
      if (this.#down) this.#to(this.#brush);
    } else if (event.key === ' ') {
      this.#down = !this.#down;
      this.#from = this.#brush;
      if (this.#down) this.#to(this.#brush);
    } else return;
    event.preventDefault();
    this.#draw();
  }

  #draw() {
    const size = this.#size, edge = size * Math.ceil(EDGE / size), canvas = this.#canvas;
    if (canvas.width !== edge) Object.assign(canvas, { width: edge, height: edge });
    const small = make('canvas', { width: size, height: size }), context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    small.getContext('2d')?.putImageData(new ImageData(this.holed(), size), 0, 0);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, edge, edge);
    context.drawImage(small, 0, 0, edge, edge);
    if (document.activeElement !== canvas || !canvas.matches(':focus-visible')) return;
    context.strokeStyle = this.#down ? '#ff97bd' : '#74c7ee'; // where the keys' brush is
    context.lineWidth = 3;
    context.beginPath();
    context.arc(this.#brush[0] * edge, this.#brush[1] * edge, (this.radius * edge) / size + 2, 0, 2 * Math.PI);
    context.stroke();
  }
}
