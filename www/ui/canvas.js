// Pixels on 2D canvases, each as a whole number of screen pixels, and the store of a run's frames.

/**
 * @typedef {object} Grid
 * @property {number} [count] pictures
 * @property {number} width of one
 * @property {number} height of one
 * @property {number} [gap] pixels between two
 */

const columns = (/** @type {number} */ count) => Math.ceil(Math.sqrt(count));

/** @typedef {(canvas: HTMLCanvasElement, rgba: Uint8ClampedArray, grid: Grid) => void} Watcher */
/** @type {WeakMap<HTMLCanvasElement, boolean>} those that are fitted as their frames change, and whether they have been */ const watched = new WeakMap();
/** @type {Map<HTMLCanvasElement, Watcher[]>} */ const watchers = new Map();

/**
 * `watcher` hears of all that is drawn on `canvas` from now on.
 * @param {HTMLCanvasElement} canvas
 * @param {Watcher} watcher
 */
export const watch = (canvas, watcher) => watchers.set(canvas, [...(watchers.get(canvas) ?? []), watcher]);

/**
 * Draws an RGBA grid of `count` pictures, ⌈√count⌉ a row, with `gap` pixels put between them.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8ClampedArray} rgba
 * @param {Grid} grid
 */
export function drawGrid(canvas, rgba, { count = 1, width, height, gap = 0 }) {
  const across = columns(count), down = Math.ceil(count / across);
  const [w, h] = [across * (width + gap) - gap, down * (height + gap) - gap];
  const fitted = watched.get(canvas), same = canvas.width === w && canvas.height === h && !canvas.hidden;
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  canvas.hidden = false;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), grid = new ImageData(/** @type {Uint8ClampedArray<ArrayBuffer>} */ (rgba), across * width, down * height);
  if (count < across * down) context.clearRect(0, 0, w, h); // the end of the last row is not the picture before
  for (let i = 0; i < count; i++) {
    const column = i % across, row = Math.floor(i / across);
    context.putImageData(grid, column * gap, row * gap, column * width, row * height, width, height);
  }
  const fits = fitted === false || (fitted && same); // to measure a frame lays the page out, which neither a run nor the page's beginning has time for
  if (!fits && canvas.parentElement?.classList.contains('frame')) fit(canvas);
  for (const watcher of watchers.get(canvas) ?? []) watcher(canvas, rgba, { count, width, height, gap });
}

/**
 * Shows under a frame how much of the picture's variance is left, the rest being noise.
 * @param {HTMLElement} frame of the class `mixed`
 * @param {number} alphaBar
 */
export const mix = (frame, alphaBar) => frame.style.setProperty('--left', String(alphaBar));

/**
 * The largest whole-number scale at which the canvas fits its frame.
 * @param {HTMLCanvasElement} canvas
 */
export function fit(canvas) {
  const box = frameOf(canvas), style = getComputedStyle(box), dpr = devicePixelRatio || 1;
  const width = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const height = box.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  const scale = Math.max(1, Math.floor(Math.min((width * dpr) / canvas.width, (height * dpr) / canvas.height)));
  canvas.style.width = `${(scale * canvas.width) / dpr}px`;
}

const frameOf = (/** @type {HTMLCanvasElement} */ canvas) => /** @type {HTMLElement} */ (canvas.parentElement);

/**
 * Refits the canvas whenever its frame changes size.
 * @param {HTMLCanvasElement} canvas
 */
export function keepFitted(canvas) {
  watched.set(canvas, false);
  new ResizeObserver(() => { fit(canvas); watched.set(canvas, true); }).observe(frameOf(canvas));
}

/**
 * Frames 0…last of a run: all of them while they fit the budget, else every `stride`-th and the last.
 * @template T
 */
export class Frames {
  /** @type {Map<number, T>} */ #kept = new Map();
  /** @type {[number, T] | null} */ #newest = null;

  /**
   * @param {number} last
   * @param {number} bytesEach
   */
  constructor(last, bytesEach, budget = 96e6) {
    this.last = last;
    this.stride = Math.max(1, Math.ceil(((last + 1) * bytesEach) / budget));
  }

  /**
   * @param {number} index
   * @param {T} frame
   */
  keep(index, frame) {
    if (index % this.stride === 0 || index === this.last) this.#kept.set(index, frame);
    this.#newest = [index, frame];
  }

  /** Makes the newest frame the last one: of a run that was cancelled. */
  end() {
    if (!this.#newest) return;
    [this.last] = this.#newest;
    this.#kept.set(...this.#newest);
  }

  /** @param {number} index */
  get(index) { return this.#kept.get(index); }

  /**
   * The frame kept at or before that one.
   * @param {number} index
   */
  near(index) { return this.get(index) ?? this.get(index - (index % this.stride)); }
}

export const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Whether a step of a run is drawn: every one, under reduced motion two a second and the last. @returns {(last: boolean) => boolean} */
export function pacing() {
  let drawnAt = -Infinity;
  return (last) => {
    const now = performance.now(), draw = !calm.matches || last || now - drawnAt >= 500;
    if (draw) drawnAt = now;
    return draw;
  };
}

/** Resolves when the browser is about to paint, or at once where nobody is looking. */
export function painted() {
  if (document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, 250); // the tab may be hidden meanwhile
  });
}

/**
 * Scrolls a picture into view where it is not, or lies below one of the page's bars, so that pressing a button below it shows what the button does.
 * @param {HTMLElement} frame
 */
export function reveal(frame) {
  const { top, bottom } = frame.getBoundingClientRect(), { scrollPaddingTop, scrollPaddingBottom } = getComputedStyle(document.documentElement);
  if (top < parseFloat(scrollPaddingTop) || bottom > innerHeight - parseFloat(scrollPaddingBottom)) frame.scrollIntoView({ block: 'start', behavior: calm.matches ? 'auto' : 'smooth' });
}

/**
 * Scrolls the second picture into view where neither it nor the first, which shows the same, is in view.
 * @param {HTMLElement} first
 * @param {HTMLElement} second
 */
export function revealEither(first, second) {
  const { top, bottom } = first.getBoundingClientRect();
  if (top < -20 || bottom > innerHeight) reveal(second);
}
