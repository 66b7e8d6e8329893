// What is done with the run that is shown: saved, linked to, copied as code, taken to the forward chain.
import { pollen } from '../../api/pollen.js';
import { download } from '../../files/download.js';
import { recorded } from '../../files/video.js';
import { $, make } from '../../ui/dom.js';
import { complain, say } from '../../ui/runs.js';
import { use } from '../forward/picture.js';
import { weightsHash } from '../models/hash.js';
import { filmScale, saveFilm, saveVideo, share, shares } from '../taking.js';
import { command, script } from './code.js';
import { current, filmSpeed } from './film.js';
import { copy, copyLink } from './link.js';

/**
 * @import { Film, Kind } from '../taking.js'
 * @typedef {NonNullable<ReturnType<typeof current>>} Shown
 */

const STRIP = 10, FILM = 60; // frames at most
const LARGE = 8, STRIP_SCALE = 4; // pixels of a file for one of the picture

/** @type {Record<string, (shown: Shown) => unknown>} */
const ways = {
  png: (shown) => take(shown, 'png', 1),
  share: async (shown) => share(await filmOf(shown, 'png', LARGE), nameOf(shown, 'png', LARGE)), // a message shows small pictures as blurs
  large: (shown) => take(shown, 'png', LARGE),
  strip: (shown) => take(shown, 'strip', STRIP_SCALE),
  apng: (shown) => take(shown, 'apng'),
  gif: (shown) => take(shown, 'gif'),
  video: async (shown) => saveVideo(await filmOf(shown, 'gif'), nameOf(shown, 'gif')),
  command: (shown) => copy(command({ ...shown, name: nameOf(shown, 'png') }), 'The command is on the clipboard. `pollen` is what Pollen’s repository builds.', () => complain(`The browser did not let the page use the clipboard. The command is ${command({ ...shown, name: nameOf(shown, 'png') })}`)),
  code: (shown) => {
    const text = script({ ...shown, name: nameOf(shown, 'png') }), name = `${nameOf(shown, 'png')}.py`;
    return copy(text, 'The Python script is on the clipboard. With diffusers it makes the same picture.', () => { download(new Blob([text]), name); say(`The browser did not let the page use the clipboard: the script is saved as ${name}.`); });
  },
  link({ options, index, frames, numbers: { steps } }) {
    const cancelled = frames.last < steps;
    return copyLink({ ...options, ...(index === steps ? {} : { 'film.frame': index }) }, cancelled ? 'Whoever opens it and lets the chain run gets this frame.' : undefined);
  },
};

export function startTaking() {
  $('save').dataset.take = 'png';
  $('link').dataset.take = 'link';
  $('share').dataset.take = 'share';
  $('share').hidden = !shares();
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#reverse [data-take]'))) {
    button.addEventListener('click', async () => {
      const shown = current();
      try { if (shown) await ways[button.dataset.take ?? ''](shown); } catch (error) { complain(error); }
    });
  }
  const type = recorded(), video = /** @type {HTMLElement} */ (document.querySelector('#reverse [data-take="video"]'));
  video.hidden = !type;
  if (type?.startsWith('video/mp4')) video.textContent = 'Save as MP4';
  $('to-forward').addEventListener('click', toForward);
}

/**
 * @param {Shown} shown
 * @param {Kind | 'gif'} kind
 * @param {number} [scale]
 */
async function take(shown, kind, scale) { saveFilm(await filmOf(shown, kind, scale), kind, nameOf(shown, kind, scale)); }

/**
 * What a file of that kind holds, with the settings that bring the run back.
 * @param {Shown} shown
 * @param {Kind | 'gif'} kind
 * @param {number} [scale] pixels of the file for one of the picture
 * @returns {Promise<Film>}
 */
export async function filmOf(shown, kind, scale) {
  const { options, index, pictures, frames, model, files, numbers: { count, width, height } } = shown, across = Math.ceil(Math.sqrt(count));
  const size = { width: across * width, height: Math.ceil(count / across) * height }, last = index === frames.last;
  const speed = filmSpeed(), pixel = scale ?? filmScale(size.width, size.height);
  const settings = {
    ...options, title: model.title, sha256: await weightsHash(model, files), file: kind, scale: pixel,
    ...(kind === 'png' && !last ? { step: index } : {}), ...(kind === 'apng' ? { speed } : {}),
  };
  return { ...size, frames: kind === 'png' ? [pictures.xt] : spread(frames, kind === 'strip' ? STRIP : FILM), speed, scale: pixel, settings };
}

/**
 * Frames of a run from the noise to the end, evenly spaced.
 * @param {Shown['frames']} frames
 * @param {number} most
 */
function spread(frames, most) {
  const shown = Math.min(most, Math.floor(frames.last / frames.stride) + 1);
  const places = Array.from({ length: shown }, (_, i) => Math.round((i * frames.last) / Math.max(1, shown - 1)));
  return places.map((place) => frames.near(place)).filter((frame) => frame !== undefined).map(({ xt }) => xt);
}

/**
 * Such as pollen-mnist-class3-ddim-20steps-seed0.
 * @param {Shown} shown
 * @param {Kind | 'gif'} kind
 * @param {number} [scale]
 */
function nameOf({ options: { model, class: label, sampler, steps, seed }, index, frames }, kind, scale) {
  const ending = kind === 'png' ? [index === frames.last ? '' : `step${index}`, scale === LARGE ? `${LARGE}x` : ''] : [kind === 'strip' ? 'strip' : 'film'];
  const parts = ['pollen', model, label === null ? '' : `class${label}`, sampler, `${steps}steps`, `seed${seed}`, ...ending];
  return parts.filter(Boolean).join('-').replace(/[^\w.-]+/g, '-');
}

/** The first sample that is shown becomes the picture that the forward chain dissolves. */
function toForward() {
  const film = current();
  if (!film) return;
  const { width, height, count } = film.numbers, across = Math.ceil(Math.sqrt(count));
  const square = make('canvas', { width, height }), data = new ImageData(new Uint8ClampedArray(film.pictures.xt), across * width);
  /** @type {CanvasRenderingContext2D} */ (square.getContext('2d', { willReadFrequently: true })).putImageData(data, 0, 0);
  use(square, `a sample of ${film.about.replace(/\.$/, '')}`, { size: width, channels: pollen.model?.channels === 1 ? 1 : 3 });
  $('forward').scrollIntoView();
  $('forward-t').focus({ preventScroll: true });
}
