// Guidance in numbers: the two predictions as the network makes them, and its formula with their lengths.
import { pollen } from '../../api/pollen.js';
import { $ } from '../../ui/dom.js';
import { lines, live, num, text } from '../../ui/live.js';

const norm = (/** @type {Float32Array} */ of) => Math.sqrt(of.reduce((sum, value) => sum + value * value, 0));

/**
 * ε and x̂_0 of each label, as floats that nothing clips.
 * @param {Float32Array} x x_t
 * @param {{ width: number, height: number }} size
 * @param {{ timestep: number, alphaBar: number, labels: number[] }} at
 */
export async function predictions(x, { width, height }, { timestep, alphaBar, labels }) {
  const sample = new Float32Array(labels.length * x.length), [signal, noise] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)], kind = pollen.model?.prediction;
  labels.forEach((_, i) => sample.set(x, i * x.length));
  const { prediction } = await pollen.predict({ sample, shape: [labels.length, x.length / (width * height), height, width], timestep, classLabels: labels }), each = prediction.length / labels.length;
  const eps = labels.map((_, k) => x.map((value, i) => {
    const made = prediction[k * each + i];
    return kind === 'v_prediction' ? signal * made + noise * value : kind === 'sample' ? (value - signal * made) / noise : made;
  }));
  return { eps, x0: eps.map((of) => x.map((value, i) => (value - noise * of[i]) / signal)) };
}

/**
 * @param {{ eps: Float32Array[], name: string, other: string }} made
 * @param {number} w
 */
export function liveGuidance({ eps: [any, asked], name, other }, w) {
  for (const id of ['b-w-from', 'b-w-less']) $(id, MathMLElement).textContent = other;
  $('b-w-name').textContent = other === 'any' ? 'any class' : other;
  const apart = asked.map((value, i) => value - any[i]), made = any.map((value, i) => value + w * apart[i]);
  const size = (/** @type {string} */ of) => `<mo stretchy="false">‖</mo>${of}<mo stretchy="false">‖</mo>`, of = (/** @type {string} */ words) => `<msub><mi>ε</mi>${text(words)}</msub>`;
  live('b-w-live', lines([
    `${size(of(other))}<mo>=</mo>${num(norm(any))}<mo>,</mo><mspace width="0.6em"></mspace>${size(`${of(name)}<mo>−</mo>${of(other)}`)}<mo>=</mo>${num(norm(apart))}`,
    `${size(`${of(other)}<mo>+</mo>${num(w)}<mo stretchy="false">(</mo>${of(name)}<mo>−</mo>${of(other)}<mo stretchy="false">)</mo>`)}<mo>=</mo>${num(norm(made))}`,
  ]));
}
