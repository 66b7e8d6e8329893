import type { Executor, Generation, GpuKernels, Pollen as Engine, ReverseStep } from './engine/api/types.js';

export type * from './engine/api/types.js';

/** An engine in a Worker of its own. */
export const Pollen: new (device?: Executor, kernels?: GpuKernels) => Engine;
export type Pollen = Engine;

/** Draws what `generate` made, or the x_t of one of its steps, on a canvas, one pixel of it a pixel of the picture. */
export function paint(canvas: HTMLCanvasElement, made: Pick<Generation, 'rgba' | 'shape'> | Pick<ReverseStep, 'xt' | 'count' | 'height' | 'width'>): void;
