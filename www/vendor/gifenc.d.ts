// The types of what the page uses of gifenc, which brings none.

/** [red, green, blue], 0…255. */
export type Palette = number[][];

/** `delay` in milliseconds, rounded to hundredths of a second; the first frame has to have a palette, which holds for those without one. */
export interface FrameOptions { palette?: Palette; delay?: number; repeat?: number }

export interface Encoder {
  writeFrame(index: Uint8Array, width: number, height: number, options?: FrameOptions): void;
  finish(): void;
  bytes(): Uint8Array<ArrayBuffer>;
}

export function GIFEncoder(): Encoder;
export function quantize(rgba: Uint8Array | Uint8ClampedArray, colours: number): Palette;
export function applyPalette(rgba: Uint8Array | Uint8ClampedArray, palette: Palette): Uint8Array;
