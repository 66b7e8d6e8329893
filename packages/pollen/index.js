// Pollen for other people's pages: the engine of Pollen's own page, with a Worker that bundlers find.
import { Pollen as Engine } from './engine/api/engine.js';

/** An engine in a Worker of its own. */
export class Pollen extends Engine {
  constructor(device = 'auto', kernels = undefined) {
    super({ worker: () => new Worker(new URL('./engine/worker/worker.js', import.meta.url), { type: 'module', name: 'pollen' }) }, device, kernels);
  }
}

/** Draws what `generate` made, or the x_t of one of its steps, on a canvas, one pixel of it a pixel of the picture. */
export function paint(canvas, made) {
  const [count, , height, width] = made.shape ?? [made.count, 0, made.height, made.width];
  const columns = Math.ceil(Math.sqrt(count));
  Object.assign(canvas, { width: columns * width, height: Math.ceil(count / columns) * height });
  canvas.getContext('2d').putImageData(new ImageData(made.rgba ?? made.xt, canvas.width), 0, 0);
}
