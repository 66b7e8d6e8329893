// Elements of index.html, with the types that the modules count on.

/**
 * The element of that id, a `type`.
 * @template {Element} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 * @returns {T}
 */
export function $(id, type) {
  /** @type {Element | null} */ const found = document.getElementById(id);
  const wanted = type ?? HTMLElement;
  if (!(found instanceof wanted)) throw new Error(`index.html has no ${wanted.name} with the id ${id}.`);
  return /** @type {any} */ (found);
}

/** @typedef {HTMLInputElement & HTMLSelectElement} Field an input or a select; which, index.html says */

/**
 * The fields of a form by their names.
 * @param {string} id of the form
 * @returns {Record<string, Field>}
 */
export const fields = (id) => /** @type {any} */ ($(id, HTMLFormElement).elements);

/**
 * A new element with these properties.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 * @param {Partial<HTMLElementTagNameMap[T]>} [properties]
 * @returns {HTMLElementTagNameMap[T]}
 */
export const make = (name, properties = {}) => /** @type {any} */ (Object.assign(document.createElement(name), properties));

/**
 * Whether a field of a number has one that it takes. `checkValidity` lets every fraction through where the least value is about −2⁵³,
 * as it is for seeds, and everything while a field is disabled.
 * @param {HTMLInputElement} field
 */
export function fits({ valueAsNumber: value, min, max, step }) {
  return Number.isFinite(value) && !(min && value < Number(min)) && !(max && value > Number(max)) && (step === 'any' || Number.isInteger(value));
}

/**
 * A script changed a field as a visitor would have.
 * @param {HTMLElement} field
 */
export const touch = (field) => { field.dispatchEvent(new Event('change', { bubbles: true })); };

/**
 * Page Up and Page Down move a slider by so much.
 * @param {HTMLInputElement} slider
 * @param {number} by
 */
export function pages(slider, by) {
  slider.addEventListener('keydown', (event) => {
    const direction = event.key === 'PageUp' ? 1 : event.key === 'PageDown' ? -1 : 0;
    if (!direction) return;
    event.preventDefault();
    slider.value = String(slider.valueAsNumber + direction * by); // the browser keeps it within its range
    slider.dispatchEvent(new Event('input'));
  });
}

/** @param {unknown} error */
export const named = (error) => /** @type {{ name?: string, message?: string }} */ (error ?? {});

/**
 * The elements in which values are shown, named by `data-v`.
 * @param {string} id of what they are in
 * @returns {NodeListOf<HTMLElement>}
 */
export const values = (id) => $(id).querySelectorAll('[data-v]');
