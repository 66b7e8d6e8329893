// Links to a picture: its settings, written for an address and read back.
import { complain, say } from '../../ui/runs.js';
import { fragment, put } from '../address.js';

/** @import { Field } from '../../ui/dom.js' */

const FIELDS = ['class', 'steps', 'eta', 'variance', 'guidance', 'negative', 'seed', 'count', 'width', 'height'];

/**
 * @param {Record<string, unknown>} options of the picture that is shown
 * @param {string} [gets] what it does for whoever opens it
 */
export async function copyLink(options, gets = 'Whoever opens it gets the same picture.') {
  const address = new URL(fragment(options), location.href).href;
  await copy(address, `The link is on the clipboard. ${gets}`, () => complain(`The browser did not let the page use the clipboard. The link is ${address}`));
}

/**
 * @param {string} text
 * @param {string} done what is said then
 * @param {() => void} refused what is done where the browser does not let the page
 */
export async function copy(text, done, refused) {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    refused();
  }
}

/**
 * Puts what a link asks for into the fields; gives what could not be, in words.
 * @param {URLSearchParams} wanted
 * @param {Record<string, Field>} field
 */
export function fillFrom(wanted, field) {
  /** @type {string[]} */ const refused = [];
  for (const name of FIELDS) {
    const value = wanted.get(name);
    if (value !== null && !put(field[name], value)) refused.push(`${name} “${value}”`);
  }
  if (!wanted.has('negative')) field.negative.value = 'any';
  if (wanted.has('clip')) field.clip.checked = wanted.get('clip') === 'true';
  return refused;
}
