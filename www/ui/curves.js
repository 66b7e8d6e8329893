// β_t, ᾱ_t and log SNR against t, each with a cursor at the timestep that is shown.

const NS = 'http://www.w3.org/2000/svg';
const POINTS = 400;

export function logSnr(alphaBar) {
  return Math.log10(alphaBar / (1 - alphaBar));
}

/** Draws the three curves into the `dl` and calls `onPick(t)` where one is clicked. Returns what moves the cursor. */
export function curves(list, { beta, alphaBar }, onPick) {
  const T = beta.length - 1;
  const series = {
    beta: (t) => beta[t],
    alpha: (t) => alphaBar[t],
    snr: (t) => logSnr(alphaBar[t]),
  };
  const cursors = Object.entries(series).map(([name, value]) => {
    const svg = element('svg', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    const values = [];
    for (let i = 0; i <= Math.min(POINTS, T - 1); i++) {
      const t = 1 + Math.round((i * (T - 1)) / Math.max(1, Math.min(POINTS, T - 1)));
      values.push([t, value(t)]);
    }
    const finite = values.filter(([, v]) => Number.isFinite(v));
    const low = name === 'snr' ? Math.min(...finite.map(([, v]) => v)) : 0;
    const high = Math.max(...finite.map(([, v]) => v), low + 1e-12);
    const x = (t) => (100 * t) / T, y = (v) => 98 - (96 * (v - low)) / (high - low);
    if (low < 0 && high > 0) svg.append(element('line', { class: 'zero', x1: 0, x2: 100, y1: y(0), y2: y(0) }));
    svg.append(element('path', { d: finite.map(([t, v], i) => `${i ? 'L' : 'M'}${x(t).toFixed(2)} ${y(v).toFixed(2)}`).join('') }));
    const cursor = svg.appendChild(element('line', { y1: 0, y2: 100 }));
    const pick = (event) => {
      const box = svg.getBoundingClientRect();
      onPick(Math.max(0, Math.min(T, Math.round((T * (event.clientX - box.left)) / box.width))));
    };
    svg.addEventListener('pointerdown', pick);
    svg.addEventListener('pointermove', (event) => event.buttons && pick(event));
    list.querySelector(`[data-sym="${name}"] .plot`).replaceChildren(svg);
    return (t) => { cursor.setAttribute('x1', x(t)); cursor.setAttribute('x2', x(t)); };
  });
  return (t) => cursors.forEach((move) => move(t));
}

/** Timesteps at `count` evenly spaced values of log SNR, from 1 to T: between two of them the picture loses equally much. */
export function evenlySpaced({ alphaBar }, count) {
  const T = alphaBar.length - 1;
  const at = (t) => Math.max(-12, logSnr(alphaBar[t]));
  const picked = new Set();
  for (let i = 0, t = 1; i < count; i++) {
    const wanted = at(1) + ((at(T) - at(1)) * i) / Math.max(1, count - 1);
    while (t < T && at(t) > wanted) t++;
    picked.add(t);
  }
  return [...picked];
}

function element(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A number for reading: four significant figures, powers of ten below a thousandth. */
export function figure(value) {
  if (value === 0) return '0';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5 ? value.toExponential(2) : value.toPrecision(4);
  const [mantissa, exponent] = text.split('e');
  const minus = (s) => s.replace('-', '−');
  return exponent === undefined ? minus(mantissa) : `${minus(mantissa)} × 10${superscript(Number(exponent))}`;
}

export function superscript(n) {
  return String(n).replace(/./g, (c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]));
}
