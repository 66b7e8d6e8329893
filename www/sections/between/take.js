// What the section between the chains makes, taken away: a PNG with all that it depends on, the pictures included, of which it can be
// made again.
import { openPicture } from '../../files/picture.js';
import { write } from '../../files/save.js';
import { make } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';
import { weightsHash } from '../models/hash.js';
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

/** A button that saves it. */
export function saveButton(/** @type {Taken} */ made) {
  const button = make('button', { type: 'button', textContent: 'Save as PNG', ariaLabel: `Save as PNG: ${made.what}` });
  button.addEventListener('click', () => save(made).catch(complain));
  return button;
}

/** A line with that button. */
export function saveLine(/** @type {Taken} */ made) {
  const line = make('p', { className: 'after' });
  line.append(saveButton(made));
  return line;
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
