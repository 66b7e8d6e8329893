// The way between noises with the numbers of the place that is picked.
import { $, make } from '../../ui/dom.js';
import { live, num, sum } from '../../ui/live.js';
import { percent } from '../../ui/numbers.js';
import { angle, shares, slerp } from '../../ui/slerp.js';

const letter = (/** @type {string} */ name) => `<mi class="noise">${name}</mi>`;
const degrees = (/** @type {number} */ of) => `${(of * 180 / Math.PI).toFixed(1)}°`;

/**
 * The formula, below what it belongs to.
 * @param {Element | null} figure
 * @param {string} text
 * @param {string} formula
 */
function tell(figure, text, formula) {
  figure?.after($('b-slerp'));
  $('b-slerp').hidden = false;
  $('b-slerp-text').textContent = text;
  live('b-slerp-live', formula);
}

/**
 * Between two; a slider in `host` picks the picture.
 * @param {HTMLElement} host
 * @param {{ a: Float32Array, b: Float32Array, from: string, to: string, count: number }} ends
 */
export function alongWalk(host, { a, b, from, to, count }) {
  const omega = angle(a, b), box = make('div', { className: 'scrub' }), slider = make('input', { type: 'range', id: 'b-place', min: '1', max: String(count), value: String(Math.ceil(count / 2)) });
  const out = make('span', { className: 'out' });
  out.setAttribute('aria-hidden', 'true');
  const show = () => {
    const s = (slider.valueAsNumber - 1) / (count - 1);
    out.textContent = `${slider.value} of ${count}`;
    slider.setAttribute('aria-valuetext', `picture ${slider.value} of ${count}, ${percent(s)} of the way`);
    host.querySelectorAll('canvas').forEach((canvas, i) => canvas.classList.toggle('picked', i + 1 === slider.valueAsNumber));
    const [p, q] = shares(omega, s);
    tell(host, `Picture ${slider.value}: s = ${percent(s)} of the way from a, ${from}, to b, ${to}; Ω = ${degrees(omega)}.`, `<mi>x</mi><mo>=</mo>${sum([[p, letter('a')], [q, letter('b')]])}`);
  };
  slider.addEventListener('input', show);
  box.append(make('label', { htmlFor: 'b-place', textContent: 'Picture on the way' }), slider, out);
  host.append(box);
  show();
}

/**
 * Among four: across above, across below, then down between the two.
 * @param {Float32Array[]} corners
 * @param {{ across: number, down: number }} at
 */
export function inSquare([a, b, c, d], { across, down }) {
  const above = angle(a, b), below = angle(c, d), [p, q] = shares(above, across), [r, s] = shares(below, across);
  const between = angle(slerp(a, b, across), slerp(c, d, across)), [up, low] = shares(between, down);
  tell($('b-square').closest('figure'), `At the ring, ${percent(across)} across and ${percent(down)} down: first across between a and b, Ω = ${degrees(above)}, and between c and d, Ω = ${degrees(below)}; then down between those two, Ω = ${degrees(between)}.`,
    `<mi>x</mi><mo>=</mo>${num(up)}<mo stretchy="false">(</mo>${sum([[p, letter('a')], [q, letter('b')]])}<mo stretchy="false">)</mo><mo>+</mo>${num(low)}<mo stretchy="false">(</mo>${sum([[r, letter('c')], [s, letter('d')]])}<mo stretchy="false">)</mo>`);
}
