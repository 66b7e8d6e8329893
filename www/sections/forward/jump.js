// x_t in a single jump from x_0, made by the page itself in milliseconds: what is shown before any run, and the values of the histogram.
import { pollen } from '../../api/pollen.js';
import { pixels, toBytes } from '../../files/picture.js';

export class Jump {
  #image; #noise; #alphaBar;

  /**
   * @param {Float32Array} image x_0, planar, in [−1, 1]
   * @param {Float32Array} noise ε, as many values
   * @param {{ size: number, channels: number, alphaBar: ArrayLike<number> }} of ᾱ_t for t = 0…T
   */
  constructor(image, noise, { size, channels, alphaBar }) {
    this.#image = image;
    this.#noise = noise;
    this.#alphaBar = alphaBar;
    this.size = size;
    this.channels = channels;
  }

  /**
   * x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε.
   * @param {number} t
   */
  values(t) {
    const signal = Math.sqrt(this.#alphaBar[t]), noise = Math.sqrt(1 - this.#alphaBar[t]);
    return this.#image.map((x, i) => signal * x + noise * this.#noise[i]);
  }

  /**
   * The same as RGBA.
   * @param {number} t
   */
  bytes(t) { return toBytes(this.values(t), this.size, this.channels); }
}

/**
 * @param {HTMLCanvasElement} square the picture
 * @param {{ size: number, channels: number, seed: number }} options
 * @param {{ alphaBar: ArrayLike<number> }} schedule
 */
export async function jumpOf(square, { size, channels, seed }, { alphaBar }) {
  const noise = await pollen.randn({ seed, shape: [channels, size, size] });
  return new Jump(pixels(square, size, channels), noise, { size, channels, alphaBar });
}
