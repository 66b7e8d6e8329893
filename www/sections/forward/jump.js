// x_t in a single jump from x_0, without a run: what is shown before one, and the values of the histogram.
import { pollen } from '../../api/pollen.js';
import { pixels } from '../../files/picture.js';

export class Jump {
  #image; #seed; #alphaBar;

  /**
   * @param {HTMLCanvasElement} square the picture
   * @param {{ size: number, channels: number, seed: number }} options
   * @param {{ alphaBar: ArrayLike<number> }} schedule ᾱ_t for t = 0…T
   */
  constructor(square, { size, channels, seed }, { alphaBar }) {
    this.#image = pixels(square, size, channels);
    this.#seed = seed;
    this.#alphaBar = alphaBar;
    this.size = size;
    this.channels = channels;
  }

  /**
   * x_t and its RGBA.
   * @param {number} t
   */
  at(t) { return pollen.jump({ image: this.#image, shape: [1, this.channels, this.size, this.size], seed: this.#seed, alphaBar: this.#alphaBar[t] }); }
}
