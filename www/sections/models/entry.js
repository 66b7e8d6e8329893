// A model that can be chosen, and its card.
import { keptBefore } from '../../files/kept.js';
import { make } from '../../ui/dom.js';
import { megabytes, stepsAndPasses } from '../../ui/numbers.js';

/**
 * @import { Model, ModelFile } from '../../api/types.js'
 * @import { Defaults } from '../../ui/samplers.js'
 * @import { Curve } from './quality.js'
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
 * @property {string} [of] the id of the model that this one makes in fewer passes
 * @property {number} [passes] of the network for one picture, as the page begins
 * @property {string} [quality] how good the pictures are, as measured
 * @property {Curve} [curve] what fewer passes cost
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

/** Whether nothing of a model that comes with the site has to be fetched. */
export async function atHand(/** @type {Entry} */ { path, files = [] }) {
  const names = files.map((file) => (typeof file === 'string' ? file : file.name));
  return path !== undefined && names.length > 0 && keptBefore(names.map((name) => new URL(path + name, document.baseURI).href));
}

/** A checkpoint's own solver; DDPM's thousand steps are nobody's first wish. */
export const preferred = (/** @type {Model} */ { sampler }) => (sampler === 'ddpm' ? {} : { sampler });

/**
 * The card of a model: a button with its picture, name and size, and below it, where others make the same in fewer passes, a
 * button for each way.
 * @param {Entry} model
 * @param {Entry[]} faster
 * @param {Entry} first the way that it begins with
 * @param {Entry | null} now what is chosen
 * @param {(id: string) => void} onChoice hears of a way, or of a model's only one
 * @param {(model: Entry) => void} onModel hears of a model, without a way
 */
export function card(model, faster, first, now, onChoice, onModel) {
  const ways = [model, ...faster], shown = ways.find((way) => way === now) ?? first;
  const button = choice(shown, shown === now, (id) => (shown === now ? onChoice(id) : onModel(model)));
  const picture = shown.picture
    ? make('img', { src: shown.picture, alt: '' })
    : make('span', { className: 'blank', textContent: shown.title.replace(/^the /, '').charAt(0).toUpperCase() });
  if (!shown.picture) picture.setAttribute('aria-hidden', 'true');
  const size = make('span', { className: 'hint', textContent: shown.bytes ? megabytes(shown.bytes) : '…' });
  button.append(picture, make('span', { className: 'name', textContent: shown.title }), size);
  if (!faster.length) return button;
  const box = make('div', { className: 'card' }), group = make('div', { className: 'ways' });
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', `Ways to make ${model.title}`);
  group.append(...ways.map((way) => {
    const pick = choice(way, way === now, onChoice), { passes = 0, defaults } = way, guided = (defaults?.guidance ?? 1) !== 1;
    pick.append(make('span', { className: 'name', textContent: way === model ? 'Best' : 'Fast' }), make('span', { className: 'hint', textContent: `${stepsAndPasses(defaults?.steps ?? passes, guided ? passes / 2 : passes, guided)}, ${way.quality}` }));
    return pick;
  }));
  box.append(button, group);
  return box;
}

/**
 * @param {Entry} model
 * @param {boolean} pressed
 * @param {(id: string) => void} onChoice
 */
function choice(model, pressed, onChoice) {
  const button = make('button', { type: 'button' });
  button.dataset.model = model.id;
  button.setAttribute('aria-pressed', String(pressed));
  button.addEventListener('click', () => onChoice(model.id));
  return button;
}
