// Files of a chain: a picture, a strip, a film, with the settings that they were made with.
import { save, write } from '../files/save.js';
import { download } from '../files/download.js';
import { record } from '../files/video.js';
import { named } from '../ui/dom.js';
import { complain, run, say } from '../ui/runs.js';

/**
 * @typedef {'png' | 'strip' | 'apng'} Kind of file that carries settings
 *
 * @typedef {object} Film
 * @property {Uint8ClampedArray[]} frames RGBA, of which a picture is the only one
 * @property {number} width of a frame
 * @property {number} height
 * @property {number} speed frames a second
 * @property {number} scale pixels of the file for one of a frame
 * @property {Record<string, unknown>} settings that made it
 */

const EDGE = 512; // pixels of a film at most, but where its frames have more
const HOLD = 2; // seconds of the last frame

/** The release that this page is of. */
export const VERSION = document.querySelector('meta[name="generator"]')?.getAttribute('content')?.replace(/^Pollen /, '') ?? '';

/**
 * The largest whole number of pixels for one of a film's.
 * @param {number} width
 * @param {number} height
 */
export const filmScale = (width, height) => Math.max(1, Math.floor(EDGE / Math.max(width, height)));

const timed = (/** @type {Film} */ { frames, speed }) => frames.map((_, i) => /** @type {[number, number]} */ (i === frames.length - 1 ? [HOLD, 1] : [1, speed]));

/** JSON in the characters that every PNG text has. */
const ascii = (/** @type {unknown} */ value) => JSON.stringify(value).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const order = (/** @type {Film} */ film, /** @type {'png' | 'apng' | 'gif'} */ format) => {
  const { frames, width, height, scale, settings } = film, texts = { Software: `Pollen ${VERSION}`, pollen: ascii({ ...settings, pollen: VERSION }) };
  return { format, frames, width, height, scale, delays: timed(film), texts };
};

/**
 * The bytes of a file that carries the film's settings, to compare with those of another.
 * @param {Film} film
 * @param {Kind} kind
 */
export const bytesOf = (film, kind) => write(order(film, kind === 'apng' ? 'apng' : 'png'));

/**
 * @param {Film} film
 * @param {Kind | 'gif'} kind
 * @param {string} name without its ending
 */
export function saveFilm(film, kind, name) {
  save(order(film, kind === 'strip' ? 'png' : kind), name).then((file) => { if (film.frames.length > 1) say(`Saved ${file}.`); }, complain);
}

const shareable = (/** @type {BlobPart[]} */ parts, /** @type {string} */ name) => ({ files: [new File(parts, `${name}.png`, { type: 'image/png' })] });

/** Whether pictures can be handed on to other programs, as on a phone. */
export const shares = () => Boolean(navigator.canShare?.(shareable([], 'picture')));

/**
 * Hands a picture on, with its settings in it; the visitor says to which program.
 * @param {Film} film
 * @param {string} name without its ending
 */
export async function share(film, name) {
  try {
    await navigator.share(shareable([await bytesOf(film, 'png')], name));
  } catch (error) {
    if (named(error).name !== 'AbortError') throw error; // to none
  }
}

/**
 * Records a film, which takes as long as it lasts; Cancel ends it.
 * @param {Film} film
 * @param {string} name without its ending
 */
export async function saveVideo(film, name) {
  const stop = new AbortController(), stopping = () => stop.abort();
  document.getElementById('cancel')?.addEventListener('click', stopping);
  const made = await run((report) => record({ ...film, delays: timed(film) }, (done) => {
    stop.signal.throwIfAborted();
    report(done, film.frames.length, 'Recording the film, which takes as long as it lasts.', `frame ${done} of ${film.frames.length}`);
  }));
  document.getElementById('cancel')?.removeEventListener('click', stopping);
  if (!made) return;
  download(made.file, `${name}.${made.ending}`);
  say(`Done: recorded ${name}.${made.ending}.`);
}
