// Formulas with their numbers, as MathML.
import { $ } from './dom.js';
import { figure } from './numbers.js';

/** @typedef {[value: number, symbol?: string]} Term a number and the MathML of what it is multiplied by */

const GAP = '<mspace width="0.2em"></mspace>';

export const num = (/** @type {number} */ value) => `<mn>${figure(value)}</mn>`;

/** Words, which may have any characters. */
export const text = (/** @type {string} */ words) => `<mtext>${words.replace(/[&<]/g, (sign) => (sign === '&' ? '&amp;' : '&lt;'))}</mtext>`;

/** A letter with a number, or a letter, below it. */
export const sub = (/** @type {string} */ letter, /** @type {string | number} */ index, look = '') => `<msub${look && ` class="${look}"`}><mi>${letter}</mi>${Number.isNaN(Number(index)) ? `<mi>${index}</mi>` : `<mn>${index}</mn>`}</msub>`;

/** A sum; what is 0 is left out. */
export const sum = (/** @type {Term[]} */ terms) => terms.filter(([value]) => value !== 0)
  .map(([value, symbol = ''], i) => `${value < 0 ? '<mo>−</mo>' : i ? '<mo>+</mo>' : ''}${num(Math.abs(value))}${symbol && GAP + symbol}`).join('') || '<mn>0</mn>';

/** A product of two numbers to be added to what stands before it. */
export const plus = (/** @type {number} */ a, /** @type {number} */ b) => `<mo>${a * b < 0 ? '−' : '+'}</mo>${num(Math.abs(a))}<mo>·</mo>${num(Math.abs(b))}`;

/** A normal distribution. */
export const normal = (/** @type {number} */ mean, /** @type {number} */ deviation, look = '') => `<mrow class="${look}"><mi>𝒩</mi><mo stretchy="false">(</mo>${num(mean)}<mo>,</mo><msup>${num(deviation)}<mn>2</mn></msup><mo stretchy="false">)</mo></mrow>`;

/** Lines one below the other. */
export const lines = (/** @type {string[]} */ all) => `<mtable displaystyle="true">${all.map((line) => `<mtr><mtd>${line}</mtd></mtr>`).join('')}</mtable>`;

/** Puts a formula into the `<math>` of that id; without one it is hidden. */
export function live(/** @type {string} */ id, /** @type {string} */ formula) {
  const math = $(id, MathMLElement);
  math.innerHTML = formula;
  math.parentElement?.toggleAttribute('hidden', !formula); // the box in which it scrolls
}
