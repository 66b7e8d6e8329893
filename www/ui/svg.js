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
