// Elements made with their attributes, and the nearest of ascending values: what a chart is drawn with.

const NS = 'http://www.w3.org/2000/svg';

export const places = (/** @type {number} */ count) => [...Array(count).keys()];

/** The place of the ascending `xs` whose `map` is nearest to `wanted`. */
export function nearest(/** @type {ArrayLike<number>} */ xs, /** @type {number} */ wanted, /** @type {(x: number) => number} */ map) {
  let low = 0, high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (map(xs[middle]) <= wanted) low = middle; else high = middle;
  }
  return wanted - map(xs[low]) <= map(xs[high]) - wanted ? low : high;
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string>} [attributes]
 * @param {string} [text]
 */
export function html(name, attributes = {}, text = '') {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} name
 * @param {Record<string, string | number>} [attributes]
 * @param {string} [text]
 */
export function svg(name, attributes = {}, text = '') {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.textContent = text;
  return element;
}

/** Outlines about (0, 0) of the marks that tell series apart without colour. */
export const MARKS = {
  circle: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z',
  square: 'M-3.5-3.5h7v7h-7Z',
  diamond: 'M0-5 5 0 0 5-5 0Z',
  cross: 'M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3Z',
  triangle: 'M0-5 4.8 3.5h-9.6Z',
  wedge: 'M0 5 4.8-3.5h-9.6Z',
};
