// A model that can be chosen, and its card.
import { make } from '../../ui/dom.js';
import { megabytes } from '../../ui/numbers.js';

/**
 * @import { Model, ModelFile } from '../../api/types.js'
 * @import { Defaults } from '../../ui/samplers.js'
 *
 * @typedef {{ classes?: string[] | null, any?: number | null }} Labels names of the classes, and the label of "any"
 *
 * @typedef {object} Entry a model to choose
 * @property {string} id
 * @property {string} title
 * @property {number} bytes
 * @property {string | File[] | ModelFile[]} source what loadModel takes
 * @property {'site' | 'kept' | 'opened'} from
 * @property {string} [path] of its folder on this site
 * @property {string} [host] where it was fetched
 * @property {string} [address] and the address that was given
 * @property {(string | { name: string, sha256: string })[]} [files] of a shipped or kept model
 * @property {string} [key] under which it is kept
 * @property {string | null} [picture]
 * @property {{ path: string, size: number, channels: number }} [sheet] of 8 × 8 samples, seeds 0 to 63, none chosen, each twice as large as the model makes it
 * @property {Defaults} [defaults]
 * @property {Labels} [labels] once it has been loaded, as are the rest
 * @property {string} [variance]
 * @property {number} [trainSteps]
 * @property {{ width: number, height: number } | null} [open] a size to begin with, where its configuration has none
 */

/**
 * What the entry of a kept model has of its own.
 * @returns {Pick<Entry, 'id' | 'key' | 'picture' | 'source' | 'from'>}
 */
export const ofKept = (/** @type {{ id: string, picture?: string | null }} */ { id, picture }) => ({ id: `kept:${id}`, key: id, picture, source: `kept:${id}`, from: 'kept' });

/** A checkpoint's own solver; DDPM's thousand steps are nobody's first wish. */
export const preferred = (/** @type {Model} */ { sampler }) => (sampler === 'ddpm' ? {} : { sampler });

/**
 * The button with its picture, name and size.
 * @param {Entry} model
 * @param {boolean} pressed
 * @param {(id: string) => void} onChoice
 */
export function card(model, pressed, onChoice) {
  const button = make('button', { type: 'button' });
  button.dataset.model = model.id;
  button.setAttribute('aria-pressed', String(pressed));
  const picture = model.picture
    ? make('img', { src: model.picture, alt: '' })
    : make('span', { className: 'blank', textContent: model.title.replace(/^the /, '').charAt(0).toUpperCase() });
  if (!model.picture) picture.setAttribute('aria-hidden', 'true');
  const size = make('span', { className: 'hint', textContent: model.bytes ? megabytes(model.bytes) : '…' });
  button.append(picture, make('span', { className: 'name', textContent: model.title }), size);
  button.addEventListener('click', () => onChoice(model.id));
  return button;
}
