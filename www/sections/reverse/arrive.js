// The first picture of a visit, which forms by itself beside the one that dissolves.
import { pollen } from '../../api/pollen.js';
import { calm } from '../../ui/canvas.js';
import { busy } from '../../ui/runs.js';
import { dissolved, saving } from '../arrival.js';
import { atHand } from '../models/entry.js';
import { beginWithWay, chosen } from '../models/shelf.js';
import { current, play } from './film.js';

/** @import { Adapter } from '../../api/types.js' */
/** @import { Entry } from '../models/entry.js' */

const MOST = 6e6; // bytes that are fetched unasked
export const FILM_MS = 2400; // in which the chain is shown, however few its steps

let touched = false;
for (const kind of ['pointerdown', 'keydown', 'input', 'drop', 'paste']) addEventListener(kind, () => { touched = true; }, { once: true, capture: true });

/** Whether the visitor, or whoever drives the page's engine, has begun nothing yet and is still at the top. */
const untouched = () => !touched && !scrollY && !location.hash && !document.hidden && !busy() && !current() && !pollen.used;

/** Whether the browser says that its connection is slow, or paid for by what goes over it. */
function meagre() {
  const { effectiveType = '4g', type } = /** @type {any} */ (navigator).connection ?? {};
  return effectiveType !== '4g' || type === 'cellular';
}

/**
 * The first picture, made by `make`, where that is soon done and the visitor did not ask for less: at once where its network is on this
 * machine; else once the daisy has dissolved and the network, if it is small, is here, while the page goes on with what it does.
 * @param {Adapter} adapter
 * @param {() => Promise<boolean>} make
 */
export async function arrive({ software }, make) {
  await beginWithWay();
  const model = chosen();
  if (!model || (software && model.of === undefined) || calm.matches || saving() || !untouched()) return;
  if (await atHand(model)) await form(make);
  else if (!meagre()) later(model).then((here) => (here ? form(make) : undefined), () => {}); // Generate says why it cannot be fetched
}

async function form(/** @type {() => Promise<boolean>} */ make) {
  if (untouched() && (await make())) play(FILM_MS);
}

/** Fetches a model, for the browser to have when it is loaded; whether it did. */
async function later(/** @type {Entry} */ { path, files = [], bytes }) {
  if (path === undefined || !(bytes <= MOST)) return false;
  await dissolved;
  if (!untouched()) return false;
  const answers = await Promise.all(files.map(async (file) => {
    const answer = await fetch(path + (typeof file === 'string' ? file : file.name), { priority: 'low' });
    await answer.arrayBuffer();
    return answer.ok;
  }));
  return answers.every(Boolean);
}
