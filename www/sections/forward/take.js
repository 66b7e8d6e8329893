// The forward chain as files, and a run of it that comes back from one.
import { recorded } from '../../files/video.js';
import { $, touch } from '../../ui/dom.js';
import { busy, complain } from '../../ui/runs.js';
import { changed, due, linked, open } from '../address.js';
import { bytesOf, filmScale, saveFilm, saveVideo } from '../taking.js';
import { evenlySpaced } from './schedule.js';
import { field } from './settings.js';

/**
 * @import { Film, Kind } from '../taking.js'
 * @import { Schedule } from '../../api/types.js'
 *
 * @typedef {object} Source what there is to take
 * @property {() => { t: number, size: number, schedule: Schedule, way: 'chain' | 'jump' } | null} shown
 * @property {(t: number) => Promise<Uint8ClampedArray>} at x_t as it is shown, or would be
 * @property {(t: number, way: string) => Promise<void>} go takes up the settings and goes to a timestep that way
 */

const STRIP = 10, FILM = 60; // frames at most
const SPEED = 12; // frames a second
const LARGE = 8, STRIP_SCALE = 4;
const AT_ONCE = 2e7; // pixels times steps of a chain that a link may walk by itself

/** @type {Source} */ let source;

/** @param {Source} from */
export function startForwardTaking(from) {
  source = from;
  $('jump').addEventListener('restore', () => { // the steps of the chain, not the jump, were looked at
    const { T, size } = field, steps = T.valueAsNumber;
    if (busy() || !(steps * size.valueAsNumber ** 2 <= AT_ONCE)) return;
    const t = Number(linked().get('forward.t') ?? steps);
    if (due('forward.jump') === 'false') source.go(t, 'chain').then(() => touch($('forward-t')));
  });
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#forward [data-take]'))) {
    button.addEventListener('click', () => take(button.dataset.take ?? '').catch(complain));
  }
  const type = recorded(), video = /** @type {HTMLElement} */ (document.querySelector('#forward [data-take="video"]'));
  video.hidden = !type;
  if (type?.startsWith('video/mp4')) video.textContent = 'Film as MP4';
}

/** @param {string} how */
async function take(how) {
  const shown = source.shown();
  if (!shown) return;
  const { t } = shown, kind = how === 'large' ? 'png' : how === 'video' ? 'gif' : /** @type {Kind | 'gif'} */ (how);
  const film = await filmOf(shown, kind, how === 'large' ? LARGE : undefined), name = `pollen-forward-${kind === 'png' ? `t${t}${how === 'large' ? `-${LARGE}x` : ''}` : how === 'strip' ? 'strip' : 'film'}`;
  if (how === 'video') return saveVideo(film, name);
  saveFilm(film, kind, name);
}

/**
 * @param {NonNullable<ReturnType<Source['shown']>>} shown
 * @param {Kind | 'gif'} kind
 * @param {number} [large]
 * @returns {Promise<Film>}
 */
async function filmOf({ t, size, schedule, way }, kind, large) {
  const timesteps = kind === 'png' ? [t] : [0, ...evenlySpaced(schedule, (kind === 'strip' ? STRIP : FILM) - 1)];
  const frames = [];
  for (const at of timesteps) frames.push(await source.at(at));
  const scale = large ?? { png: 1, strip: STRIP_SCALE, apng: filmScale(size, size), gif: filmScale(size, size) }[kind];
  return { frames, width: size, height: size, speed: SPEED, scale, settings: { chain: 'forward', ...changed('forward.'), 'forward.jump': undefined, 'forward.t': t, way, file: kind, scale } };
}

/**
 * Puts the settings of a file into the fields; that file as the page writes it now, or nothing where it cannot.
 * @param {Record<string, any>} settings
 */
export async function restoreForward(settings) {
  const { file: kind, scale } = settings, fields = Object.entries(settings).filter(([name]) => name.startsWith('forward.') && name !== 'forward.t');
  $('forward-form', HTMLFormElement).reset();
  open(new URLSearchParams(fields.map(([name, value]) => [name, String(value)])));
  await source.go(settings['forward.t'], settings.way);
  $('forward').scrollIntoView();
  const shown = source.shown();
  return shown && bytesOf(await filmOf(shown, kind, kind === 'png' ? scale : undefined), kind);
}
