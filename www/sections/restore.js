// A run that comes back from a PNG that was saved here: its settings are in it.
import { chunks, textOf } from '../files/chunks.js';
import { $ } from '../ui/dom.js';
import { busy, complain, forgive, say } from '../ui/runs.js';
import { open } from './address.js';
import { filmOf as betweenOf, makers, pictureOf } from './between/take.js';
import { use } from './forward/picture.js';
import { restoreForward } from './forward/take.js';
import { weightsHash } from './models/hash.js';
import { current, showFrame } from './reverse/film.js';
import { rerun, take } from './reverse.js';
import { filmOf } from './reverse/take.js';
import { bytesOf, VERSION } from './taking.js';

/**
 * @import { Entry } from './models/entry.js'
 * @import { ModelFile } from '../api/types.js'
 */

const HEAD = 1 << 21; // bytes of a file in which the settings are, and the picture of a filling

/** The run of the file that was chosen. */
export async function restoreChosen() {
  const picker = $('restore', HTMLInputElement), file = picker.files?.[0];
  picker.value = '';
  if (!file) return;
  if (await saved(file)) await restore(file);
  else complain(`“${file.name}” carries no settings. A PNG that was saved on this page does, as long as no other program has written it anew.`);
}

/**
 * The settings that a file carries, if it is a PNG that was saved here.
 * @param {File} file
 * @returns {Promise<Record<string, any> | null>}
 */
export async function saved(file) {
  const text = textOf(new Uint8Array(await file.slice(0, HEAD).arrayBuffer()), 'pollen');
  try {
    const settings = text === null ? null : JSON.parse(text);
    return settings && typeof settings === 'object' ? settings : null;
  } catch { return null; }
}

/**
 * Makes the run of such a file again and says whether it is the same.
 * @param {File} file
 */
export async function restore(file) {
  const settings = await saved(file);
  if (!settings) return;
  if (busy()) return complain('A run is going on. Cancel it, or wait for its end, and bring the picture then.');
  forgive();
  const { file: kind, scale, step, speed, pollen, title, sha256, ...options } = settings;
  if (settings.chain === 'forward') return tell(file, settings, await restoreForward(settings));
  if (settings.chain && !Object.hasOwn(makers, settings.chain)) return complain(`${file.name} was made by a part of Pollen that this page does not have${settings.pollen === VERSION ? '' : `: it is of ${settings.pollen}, and this is ${VERSION}`}.`);
  if (settings.chain) return restoreBetween(file, settings);
  $('reverse').scrollIntoView();
  if (speed) $('film-speed', HTMLSelectElement).value = String(speed);
  if (!(await rerun(options))) return missing(file, settings, 'Generate');
  if (step !== undefined) showFrame(step);
  const shown = current();
  if (!shown || (await otherWeights(file, settings, shown.model, shown.files))) return;
  tell(file, settings, await bytesOf(await filmOf(shown, kind, scale), kind));
}

/**
 * What was made between the chains. The pictures that it was made from become, one after the other, that of the forward chain.
 * @param {File} file
 * @param {Record<string, any>} settings
 */
async function restoreBetween(file, settings) {
  const { form, press, again, film } = makers[settings.chain], { chain, title, sha256, pollen, name, picture, found = [], file: kind, scale, ...rest } = settings;
  const options = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.includes('.'))), fields = (/** @type {Record<string, any>} */ of) => Object.entries(of).filter(([name]) => name.includes('.')).map(([name, value]) => [name, String(value)]);
  const start = async (/** @type {Record<string, any>} */ of) => {
    if (!of.picture) return open(new URLSearchParams(fields(of)));
    use(await pictureOf(of), of.name);
    open(new URLSearchParams([['between.from', 'picture'], ...fields(of)]));
  };
  $(form).scrollIntoView();
  try {
    if (found.length) makers.inversion.forget?.(); // else those of before would be among its corners
    for (const one of found) { // their noises are found again
      await start(one);
      if (!(await take({ model: options.model, class: one.class }))) return missing(file, settings, press);
      if (!(await makers.inversion.again())) return;
    }
    await start(picture ? { ...rest, picture, name } : rest);
  } catch { return complain(`${file.name} was saved here, but a picture that it was made from is damaged in it.`); }
  if (!(await (film ? rerun(options) : take(options)))) return missing(file, settings, press);
  const made = await again();
  $(form).closest('.part')?.scrollIntoView(); // the film that it goes on from was made in part 2
  if (!made?.entry || (await otherWeights(file, settings, made.entry, made.files))) return;
  tell(file, settings, await bytesOf(await betweenOf(made), 'png'));
}

/**
 * Says that the model is not there, where that is why it cannot be made again.
 * @param {File} file
 * @param {Record<string, any>} settings
 * @param {string} press
 */
function missing(file, { model, title, sha256 }, press) {
  if ($('r-model', HTMLSelectElement).value === model) return;
  complain(`${file.name} was made with ${title}${sha256 ? `, whose weights have the SHA-256 ${sha256.slice(0, 16)}…` : ''}, which this page does not have at hand. Open that model and press ${press}: the other settings are in the fields.`);
}

/**
 * Whether it was made with other weights than those that are here, which is said.
 * @param {File} file
 * @param {Record<string, any>} settings
 * @param {Entry} model
 * @param {ModelFile[] | null} files
 */
async function otherWeights(file, { sha256 }, model, files) {
  const hash = await weightsHash(model, files), others = sha256 && hash && hash !== sha256;
  if (others) complain(`${file.name} was made with other weights than those of ${model.title} here: their SHA-256 is ${sha256.slice(0, 12)}…, that of these ${hash.slice(0, 12)}…. The picture is another.`);
  return others;
}

/**
 * @param {File} file
 * @param {Record<string, any>} settings
 * @param {Uint8Array | null} again the file as the page would write it now
 */
async function tell(file, settings, again) {
  if (!again) return;
  const same = equal(picturesOf(new Uint8Array(await file.arrayBuffer())), picturesOf(again));
  if (same) return say(`Done: ${file.name} is here again, the same to the byte.`);
  const other = settings.pollen === VERSION ? '' : ` It was made by Pollen ${settings.pollen}, and this is ${VERSION}.`;
  complain(`${file.name} has been made again from its settings, and the picture differs.${settings.chain === 'forward' ? ' It was made from another picture than the one that is here.' : ''}${other}`);
}

/** What a PNG says of its pixels. */
const picturesOf = (/** @type {Uint8Array} */ bytes) => chunks(bytes).filter(({ type }) => ['IHDR', 'IDAT', 'fdAT', 'fcTL'].includes(type)).map(({ data }) => data);

const equal = (/** @type {Uint8Array[]} */ a, /** @type {Uint8Array[]} */ b) => a.length === b.length && a.every((data, i) => data.length === b[i].length && data.every((byte, j) => byte === b[i][j]));
