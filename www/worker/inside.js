// What a network computes on the way, operation by operation, made small enough to be shown.

/**
 * @import { Activation, ActivationOptions, NetworkOperation } from '../api/types.js'
 * @typedef {import('../wasm/pollen.js').Engine} Engine
 */

const AT_ONCE = 32e6; // numbers that are read back at a time

/**
 * The operations of the engine's network.
 * @param {Engine} engine
 * @param {{ shape: number[] }} options
 * @returns {NetworkOperation[]}
 */
export function operations(engine, { shape: [, , height, width] }) {
  const all = /** @type {(Omit<NetworkOperation, 'numbers'> & { numbers: [string, number][] })[]} */ (engine.operations(height, width));
  return all.map((one) => ({ ...one, numbers: Object.fromEntries(one.numbers) }));
}

/**
 * The results of some operations, in as many passes as it takes not to hold too much at a time.
 * @param {Engine} engine
 * @param {ActivationOptions} options
 * @param {() => Promise<void>} breathe between two passes
 * @returns {Promise<Activation[]>}
 */
export async function activations(engine, { sample, shape, timestep, classLabels, operations: places, whole = false }, breathe) {
  const all = operations(engine, { shape }), labels = classLabels && Float32Array.from(classLabels), [, , height, width] = shape;
  /** @type {Activation[]} */ const found = [];
  for (let from = 0; from < places.length;) {
    let to = from, numbers = 0;
    do numbers += size(all[places[to++]]?.shape ?? []); while (to < places.length && numbers + size(all[places[to]]?.shape ?? []) <= AT_ONCE);
    const part = places.slice(from, to), results = await engine.predict(sample, height, width, Float32Array.of(timestep), labels, Uint32Array.from(part), undefined, 0, false);
    let at = 0;
    for (const operation of part) {
      const { shape } = all[operation], values = results.slice(at, at += size(shape));
      found.push({ operation, ...summary(values, shape), ...(whole ? { values } : {}) });
    }
    await breathe();
    from = to;
  }
  return found;
}

const size = (/** @type {number[]} */ shape) => shape.reduce((product, n) => product * n, 1);

/**
 * Mean, standard deviation, extremes, and the channel that varies most over the pixels with its values.
 * @param {Float32Array} values
 * @param {[number, number, number]} shape
 */
function summary(values, [channels, height, width]) {
  const area = height * width;
  let sum = 0, squares = 0, least = Infinity, most = -Infinity, channel = 0, widest = -1;
  for (let c = 0; c < channels; c++) {
    let own = 0, ownSquares = 0;
    for (let i = c * area; i < (c + 1) * area; i++) {
      const value = values[i];
      own += value;
      ownSquares += value * value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const variance = ownSquares / area - (own / area) ** 2;
    if (variance > widest) [channel, widest] = [c, variance];
    sum += own;
    squares += ownSquares;
  }
  const mean = sum / values.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)), least, most, channel, picture: values.slice(channel * area, (channel + 1) * area) };
}
