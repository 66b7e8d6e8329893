// What is done with a filling: saved with all that it depends on, the picture included, or linked to.
import { openPicture } from '../../files/picture.js';
import { write } from '../../files/save.js';
import { make } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';
import { weightsHash } from '../models/hash.js';
import { copyLink } from '../reverse/link.js';
import { saveFilm } from '../taking.js';

/**
 * @import { Film } from '../taking.js'
 * @import { Entry } from '../models/entry.js'
 * @import { ModelFile } from '../../api/types.js'
 *
 * @typedef {object} Filling
 * @property {Uint8ClampedArray} rgba filled in, with going back
 * @property {Uint8ClampedArray} given the picture without its hole
 * @property {number} width and height
 * @property {string} name of the picture
 * @property {Record<string, unknown>} settings as in the address
 * @property {Record<string, string> | null} link the settings that are the picture's, where a link can carry it
 * @property {Entry | null} entry of the model that filled in
 * @property {ModelFile[] | null} files of that model
 */

/** Characters of a mask in an address. */
export const LONGEST = 1000;

/**
 * What can be done with it.
 * @param {Filling} made
 */
export function buttonsOf(made) {
  const seed = made.settings['fill.fresh'], box = make('div', { className: 'with' });
  for (const [text, act] of /** @type {const} */ ([['Save as PNG', save], ['Copy link', link]])) {
    const button = make('button', { type: 'button', textContent: text, ariaLabel: `${text}: the filling of seed ${seed}` });
    button.addEventListener('click', () => act(made).catch(complain));
    box.append(button);
  }
  return box;
}

async function save(/** @type {Filling} */ made) {
  const { model, class: label, 'fill.fresh': seed } = made.settings;
  const parts = ['pollen', 'filling', model, label === null ? '' : `class${label}`, `seed${seed}`];
  saveFilm(await filmOf(made), 'png', parts.filter(Boolean).join('-').replace(/[^\w.-]+/g, '-'));
}

function link(/** @type {Filling} */ { settings, link, name, entry }) {
  const { 'fill.mask': mask, ...others } = settings, long = String(mask).length > LONGEST;
  const lacks = [link ? '' : name, long ? 'the mask, which is too long for one' : '', entry?.from === 'site' ? '' : entry?.title].filter(Boolean);
  const gets = lacks.length ? `It does not carry ${lacks.join(' and ')}, only the settings. The PNG that is saved carries the picture and the mask.` : 'Whoever opens it and presses “Fill it in” gets the same picture.';
  return copyLink({ ...others, ...link, ...(long ? {} : { 'fill.mask': mask }) }, gets);
}

/**
 * What its file holds.
 * @param {Filling} made
 * @returns {Promise<Film>}
 */
export async function filmOf({ rgba, given, width, name, settings, entry, files }) {
  const picture = await write({ format: 'png', frames: [given], width, height: width, scale: 1, delays: [], texts: {} });
  const all = { chain: 'filling', ...settings, title: entry?.title, sha256: entry && (await weightsHash(entry, files)), name, picture: btoa(Array.from(picture, (byte) => String.fromCharCode(byte)).join('')) };
  return { frames: [rgba], width, height: width, speed: 1, scale: 1, settings: all };
}

/**
 * The picture of which such a file was made.
 * @param {Record<string, any>} settings of the file
 */
export const pictureOf = ({ picture, name }) => openPicture(new File([Uint8Array.from(atob(picture), (character) => character.charCodeAt(0))], name));
