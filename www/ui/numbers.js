// How the page writes numbers: one way each for values, counts, bytes, shares and durations.

/**
 * A value for reading: four significant figures, powers of ten below a thousandth and from a hundred thousand on.
 * @param {number} value
 */
export function figure(value) {
  if (Number.isNaN(value)) return '–';
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? value.toExponential(2) : value.toPrecision(4);
  const [mantissa, exponent] = text.split('e');
  return exponent === undefined ? minus(mantissa) : `${minus(mantissa)} × 10${superscript(Number(exponent))}`;
}

/**
 * As `figure`, without zeros at the end: for the ticks of an axis.
 * @param {number} value
 */
export function tick(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(1).replace('.0', '').split('e');
    const power = `10${superscript(Number(exponent))}`;
    return mantissa === '1' ? power : `${minus(mantissa)} × ${power}`;
  }
  return minus(apart(String(Number(value.toPrecision(4)))));
}

const minus = (/** @type {string} */ text) => text.replace('-', '−');

/** @param {number} n a whole number */
export function superscript(n) {
  return String(n).replace(/./g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]));
}

/**
 * A whole number with its thousands apart.
 * @param {number} n
 */
export const whole = (n) => apart(String(Math.round(n)));

/** The thousands of a number apart; `toLocaleString` takes tens of milliseconds the first time. */
const apart = (/** @type {string} */ digits) => digits.replace(/^-?\d+/, (all) => all.replace(/\B(?=(\d{3})+$)/g, ','));

/**
 * "1 step", "2 steps".
 * @param {number} n
 * @param {string} one
 * @param {string} [more]
 */
export const counted = (n, one, more = `${one}s`) => `${whole(n)} ${n === 1 ? one : more}`;

/**
 * "20 steps, 2 passes each with guidance = 40 passes": the same words wherever steps and passes meet.
 * @param {number} steps
 * @param {number} asked how often the solver asks the network on them
 * @param {boolean} guided
 */
export function stepsAndPasses(steps, asked, guided) {
  const each = guided ? '2 passes each with guidance' : '1 pass each';
  return `${counted(steps, 'step')}, ${asked === steps ? each : `${whole(asked)} predictions, ${each}`} = ${counted(guided ? 2 * asked : asked, 'pass', 'passes')}`;
}

/**
 * A share of the whole in percent.
 * @param {number} share 0 to 1
 */
export const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * How many millions.
 * @param {number} n such as a network's parameters
 */
export const millions = (n) => (n / 1e6).toFixed(n < 1e6 ? 2 : 1);

/** @param {number} bytes */
export function megabytes(bytes) {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} ms */
export function seconds(ms) {
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 90) return `${Math.round(s)} s`;
  const all = Math.round(s);
  return `${Math.floor(all / 60)} min ${all % 60} s`;
}

/** The same of a time that is known to one digit. @param {number} ms */
export function roughly(ms) {
  const s = Number((ms / 1000).toPrecision(1));
  return s < 60 ? `${s} s` : counted(Number((ms / 60_000).toPrecision(1)), 'minute');
}
