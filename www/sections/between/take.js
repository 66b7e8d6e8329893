// What the section between the chains makes, taken away: a PNG with all that it depends on, the pictures included, of which it can be
// made again; or a link to its settings.
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
 * @typedef {object} Given a picture that it was made from, as the network took it
 * @property {Uint8ClampedArray} rgba
 * @property {number} size
 * @property {string} name
 * @property {Record<string, string> | null} link its settings in an address, or null where none can carry it
 * @property {Record<string, unknown>} [settings] with which its noise was found
 *
 * @typedef {object} Taken
 * @property {string} chain what made it, as `makers` has it
 * @property {string} what it is, in a button's name
 * @property {unknown[]} parts of the file's name
 * @property {(Uint8ClampedArray | null)[]} cells pictures, RGBA, row by row; null where there is none
 * @property {number} columns
 * @property {number} width of a picture
 * @property {number} height
 * @property {Record<string, unknown>} settings as in the address
 * @property {Given} [given]
 * @property {Given[]} [found] pictures whose noises it was made from, the first found first
 * @property {Entry | null} entry of the model
 * @property {ModelFile[] | null} files of that model
 */

/**
 * What makes each of them again once its settings are in the fields; of those that go on from a run of part 2, `film` says so; what
 * it has kept for others can be forgotten.
 * @type {Record<string, { form: string, press: string, again: () => Promise<Taken | undefined>, film?: boolean, forget?: () => void }>}
 */
export const makers = {};

/** Characters of a mask in an address. */
export const LONGEST = 1000;

/** A line with what can be done with it. */
export function takeLine(/** @type {Taken} */ made) {
  const line = make('p', { className: 'after' });
  for (const [name, does] of /** @type {const} */ ([['Save as PNG', save], ['Copy link', link]])) {
    const button = make('button', { type: 'button', textContent: name, ariaLabel: `${name}: ${made.what}` });
    button.addEventListener('click', () => does(made).catch(complain));
    line.append(button);
  }
  return line;
}

function link(/** @type {Taken} */ { chain, settings, given, found = [], entry }) {
  const { 'fill.mask': mask = '', ...others } = settings, long = String(mask).length > LONGEST;
  const lacks = [given?.link ? '' : given?.name, ...found.map(({ name }) => name), long ? 'the mask, which is too long for one' : '', entry?.from === 'site' ? '' : entry?.title].filter(Boolean);
  const gets = lacks.length ? `It does not carry ${lacks.join(' and ')}, only the settings. The PNG that is saved carries pictures and masks.` : `Whoever opens it and presses “${makers[chain].press}” gets the same picture.`;
  return copyLink({ ...others, ...given?.link, ...(mask && !long ? { 'fill.mask': mask } : {}) }, gets, makers[chain].form);
}

/** @param {Taken} made */
async function save(made) {
  saveFilm(await filmOf(made), 'png', ['pollen', ...made.parts].filter((part) => part !== '' && part !== null && part !== undefined).join('-').replace(/[^\w.-]+/g, '-'));
}

/**
 * What its file holds.
 * @param {Taken} made
 * @returns {Promise<Film>}
 */
export async function filmOf({ chain, cells, columns, width, height, settings, given, found, entry, files }) {
  const all = {
    chain, ...settings, title: entry?.title, sha256: entry && (await weightsHash(entry, files)),
    ...(given ? await packed(given) : {}), ...(found ? { found: await Promise.all(found.map(packed)) } : {}),
  };
  return { frames: [sheet(cells, columns, width, height)], width: columns * width, height: Math.ceil(cells.length / columns) * height, speed: 1, scale: 1, settings: all };
}

/** Pictures row by row in one, transparent where there is none. */
function sheet(/** @type {Taken['cells']} */ cells, /** @type {number} */ columns, /** @type {number} */ width, /** @type {number} */ height) {
  const all = new Uint8ClampedArray(4 * columns * width * Math.ceil(cells.length / columns) * height);
  for (const [i, cell] of cells.entries()) {
    for (let y = 0; cell && y < height; y++) all.set(cell.subarray(4 * y * width, 4 * (y + 1) * width), 4 * ((Math.floor(i / columns) * height + y) * columns + (i % columns)) * width);
  }
  return all;
}

/** A picture in text. */
async function packed(/** @type {Given} */ { rgba, size, name, settings }) {
  const file = await write({ format: 'png', frames: [rgba], width: size, height: size, scale: 1, delays: [], texts: {} });
  return { ...settings, name, picture: btoa(Array.from(file, (byte) => String.fromCharCode(byte)).join('')) };
}

/**
 * And back.
 * @param {Record<string, any>} settings of the file
 */
export const pictureOf = ({ picture, name }) => openPicture(new File([Uint8Array.from(atob(picture), (character) => character.charCodeAt(0))], name));
