// Links to a picture: its settings, written for an address and read back.
import { $, touch } from '../../ui/dom.js';
import { complain, say } from '../../ui/runs.js';
import { due, fragment, place, put } from '../address.js';
import { chosen, openAddress } from '../models/shelf.js';

/** @import { Field } from '../../ui/dom.js' */
/** @import { Entry } from '../models/entry.js' */

const FIELDS = ['class', 'steps', 'eta', 'variance', 'guidance', 'negative', 'seed', 'count', 'width', 'height'];

/**
 * @param {Record<string, unknown>} options of the picture that is shown
 * @param {string} [gets] what it does for whoever opens it
 * @param {string} [at] the id of what it leads to
 */
export async function copyLink(options, gets = 'Whoever opens it gets the same picture.', at) {
  const address = new URL(fragment(options, at), location.href).href;
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

/** The form between the chains to which the address leads, if it is one. */
export const linkedForm = () => { const at = document.getElementById(place()); return at instanceof HTMLFormElement ? at : null; };

export const press = (/** @type {HTMLFormElement} */ form) => `Press “${form.querySelector('.go')?.textContent}”`;

const isAddress = (/** @type {string} */ text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !new URL(text).username;

/** Where a model was fetched stands in the address, unless it carries a name to log in with. */
export function noteModel(/** @type {Entry} */ { address = '' }) {
  const field = $('r-from', HTMLInputElement), noted = isAddress(address) ? address : '';
  if (field.value === noted) return;
  field.value = noted;
  touch(field);
}

/**
 * Offers to open the model of a link from where its sender had it: nothing is asked of that server before.
 * @param {URLSearchParams} wanted
 * @param {(options: Record<string, unknown>) => unknown} take puts the settings into the fields
 */
export function offerModel(wanted, take) {
  const address = wanted.get('models.address') ?? '';
  if (!isAddress(address)) return;
  complain(`The link is to a picture of a model that its sender opened from ${address}. That server would learn that you were here; nothing has been asked of it yet.`, ['Open the model', async () => {
    $('r-address', HTMLInputElement).value = address;
    await openAddress();
    const model = chosen();
    if (model?.address === address) await take({ ...Object.fromEntries([...wanted].filter(([name]) => !name.includes('.'))), model: model.id });
  }]);
}

$('r-model').addEventListener('change', () => due('models.address')); // the visitor chose another
