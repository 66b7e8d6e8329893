// The models to choose from: shipped, kept from an earlier visit, opened just now; by picture or by name.
import { pollen } from '../../api/pollen.js';
import { $, make } from '../../ui/dom.js';
import { adapterName, busy, complain, forgive, run, say } from '../../ui/runs.js';
import { megabytes } from '../../ui/numbers.js';
import { showCard, testOpened } from './card.js';
import { card, ofKept, preferred } from './entry.js';
import { faster, first, firstToHave, waysOf } from './ways.js';
import { pictureKept } from '../../files/kept.js';

/**
 * @import { Model, ModelFile } from '../../api/types.js'
 * @import { Report } from '../../ui/runs.js'
 * @import { Entry, Labels } from './entry.js'
 */

const select = $('r-model', HTMLSelectElement);
const OPENED = 'opened', THUMBNAIL = 64;

/** @type {Entry[]} */ let shipped = [];
/** @type {Entry[]} */ let kept = [];
let named = false; // by the visitor: a way, where a model has two
/** @type {Entry | null} */ let opened = null;
/** @type {Entry | null} */ let current = null; // what the engine holds, while pollen.model is not null
/** @type {(model: Entry, labels: Labels | null) => void} */ let onChoice = () => {};

/** @returns {Entry[]} */
const entries = () => [...shipped, ...kept, ...(opened ? [opened] : [])];

/** The entry that is chosen. */
export const chosen = () => entries().find(({ id }) => id === select.value) ?? null;

/**
 * `listener(entry, labels)` hears of every choice, at once and again when more is known; `labels` are { classes, any }, or
 * less, or null while they are on their way. `wanted` is the id that will be chosen first.
 * @param {(model: Entry, labels: Labels | null) => void} listener
 * @param {string | null} wanted
 */
export async function startShelf(listener, wanted) {
  onChoice = listener;
  select.addEventListener('change', () => { named = true; choose(); });
  addEventListener('online', choose); // names of classes that could not be fetched
  for (const id of ['r-files', 'r-folder']) {
    const picker = $(id, HTMLInputElement);
    picker.addEventListener('change', () => { openCheckpoint([...(picker.files ?? [])]); picker.value = ''; }); // the same files can be picked again
  }
  $('r-address').addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); openAddress(); } });
  $('r-open').addEventListener('click', openAddress);
  $('keep').addEventListener('click', () => keep().catch(complain));
  $('forget').addEventListener('click', () => forget().catch(complain));
  try {
    const answer = await fetch('models/index.json');
    if (!answer.ok) throw new Error(`The list of models, models/index.json, could not be fetched: the server answered ${answer.status}.`);
    shipped = (await answer.json()).map((/** @type {Entry} */ model) => ({ ...model, source: model.path, from: 'site' }));
  } catch (error) {
    complain(error);
  }
  layOut();
  const listed = pollen.keptModels().then((all) => {
    kept = all.map((one) => ({ ...one, ...ofKept(one) }));
    if (kept.length) layOut();
  });
  if (wanted?.startsWith('kept:')) await listed;
}

/**
 * Chooses the model of that id, or the first where there is none.
 * @param {string} id
 */
export async function chooseModel(id) {
  select.value = id;
  if (!chosen() && entries().length) select.value = entries()[0].id;
  await choose();
}

/** As in the list. */
const pick = (/** @type {string} */ id) => { select.value = id; select.dispatchEvent(new Event('change', { bubbles: true })); };

/** A model by its card, which names no way. */
const pickModel = async (/** @type {Entry} */ model) => { pick((await firstToHave(model, entries())).id); named = false; };

/** Chooses the way that the chosen model begins with, now that it is decided, unless the visitor has named one or a model is open. */
export async function beginWithWay() {
  const model = chosen(), way = model && (await firstToHave(model, entries()));
  if (way && way !== model && !named && !current && chosen() === model) await chooseModel(way.id); else layOut();
}

/** What is known of the chosen model before its weights are here: size and classes. */
async function choose() {
  const model = chosen();
  layOut();
  if (!model) return;
  const ready = pollen.model && current === model;
  $('r-model-hint').textContent = ready ? `${megabytes(model.bytes)}, ready on ${adapterName()}.` : {
    site: `${megabytes(model.bytes)}, fetched from this site when it is first used.`,
    kept: `${megabytes(model.bytes)}, kept on this machine from an earlier visit.`,
    opened: `${megabytes(model.bytes)}, opened from ${model.host ?? 'this machine'}.`,
  }[model.from];
  const known = model.labels ?? (model.from === 'site' ? null : {});
  onChoice(model, known);
  if (known) return;
  const labels = await fetch(`${model.path}labels.json`).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
  if (chosen() === model && !model.labels) onChoice(model, labels);
}

/** The chosen model and what makes the same in fewer passes, whichever of them is chosen; null where there is one way alone. */
export const ways = () => waysOf(chosen(), entries());

/** What takes over where Fast, which knows few noise levels, cannot: Best, or the model that is chosen. */
export const best = () => ways()?.best ?? chosen();

/**
 * A model, the chosen one, on the device, whatever it takes; what the engine says of it.
 * @param {Report} report
 * @returns {Promise<Model>}
 */
export async function load(report, model = chosen()) {
  if (!model) throw new Error('There is no model to generate with: models/index.json could not be read. Reload the page.');
  if (pollen.model && current === model) return pollen.model;
  current = null;
  const loaded = await pollen.loadModel(model.source, {
    onProgress: ({ loaded, total, file }) => report(loaded, !file && loaded === total ? 0 : total ?? 0, file
      ? `Fetching ${model.title}${total ?? model.bytes ? `, ${megabytes(total ?? model.bytes)}` : ''}.`
      : `Preparing ${model.title} on ${adapterName()}.`),
  });
  current = model;
  const { title, classes, any, variance, trainSteps, sized, width, height } = loaded, { files } = pollen;
  Object.assign(model, { labels: { classes, any }, variance, trainSteps, open: sized ? null : { width, height } });
  if (model.from === 'opened' && files) {
    const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    Object.assign(model, { title, bytes, defaults: preferred(loaded), source: files });
  }
  await choose();
  await showCard();
  return loaded;
}

/**
 * Opens a checkpoint that the visitor picked or dropped, and chooses it.
 * @param {Iterable<File> | null} chosenFiles
 */
export async function openCheckpoint(chosenFiles) {
  const files = [...(chosenFiles ?? [])];
  if (!files.length) return complain('There are no files in that folder. A checkpoint has config.json and a .safetensors file.');
  await open({ source: files, title: 'the opened checkpoint', bytes: files.reduce((sum, file) => sum + file.size, 0) });
}

/**
 * Makes a model that the engine already holds the chosen one; `files` bring it back after another.
 * @param {Model} model
 * @param {string} title
 * @param {ModelFile[]} files
 */
export async function adopt(model, title, files) {
  const { classes, any, variance, trainSteps } = model;
  pollen.files = files;
  model.title = title;
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  opened = { id: OPENED, from: 'opened', title, bytes, source: files, labels: { classes, any }, variance, trainSteps, defaults: preferred(model) };
  current = opened;
  layOut();
  await chooseModel(OPENED);
  await showCard();
}

export async function openAddress() {
  const field = $('r-address', HTMLInputElement), address = field.value.trim();
  const good = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
  field.setAttribute('aria-invalid', String(!good));
  if (!good) {
    field.focus();
    return complain(`${address ? `“${address}” is no address` : 'The address is missing'}. One looks like https://example.org/folder/.`);
  }
  await open({ source: address, address, host: new URL(address).host, title: 'the model', bytes: 0 });
}

/** @param {Pick<Entry, 'source' | 'title' | 'bytes' | 'host' | 'address'>} model */
async function open(model) {
  if (busy()) return complain('A run is going on. Cancel it, or wait for its end, and open the model then.');
  const before = select.value, previous = opened;
  const said = await run(async (report) => {
    opened = { ...model, id: OPENED, from: 'opened' };
    layOut();
    select.value = OPENED;
    await load(report);
    return { clause: await testOpened(report) };
  });
  if (said) return say(`Opened ${opened?.title}${said.clause}. Press Generate.`);
  if (current !== opened) opened = previous;
  layOut();
  await chooseModel(current && current === opened ? OPENED : before);
}

async function keep() {
  const model = opened;
  if (!model) return;
  forgive();
  say(`Keeping ${model.title}.`);
  try {
    const { picture = null, defaults, labels, variance, trainSteps } = model;
    Object.assign(model, ofKept(await pollen.keepModel(/** @type {{ picture: string | null }} */ ({ picture, defaults, labels, variance, trainSteps }))));
  } catch (error) {
    say('Not kept. The model stays open.');
    throw error;
  }
  kept = [...kept.filter(({ id }) => id !== model.id), model];
  opened = null;
  layOut();
  await chooseModel(model.id);
  say(`Kept ${model.title} on this machine. It is in the list of models at your next visit.`);
  select.focus();
}

async function forget() {
  const model = chosen();
  if (!model?.key) return;
  await pollen.forgetModel(model.key);
  kept = kept.filter((one) => one !== model);
  layOut();
  await chooseModel('');
  say(`Forgot ${model.title}: its files are no longer kept on this machine.`);
  select.focus();
}

/** Gives a model's card a picture of what it made, `width` by `height`, where it has none. */
export function pictured(/** @type {Entry} */ model, /** @type {HTMLCanvasElement} */ canvas, /** @type {number} */ width, /** @type {number} */ height) {
  if (model.picture) return;
  const small = make('canvas', { width: THUMBNAIL, height: THUMBNAIL });
  const context = /** @type {CanvasRenderingContext2D} */ (small.getContext('2d')), side = Math.min(width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, (width - side) / 2, (height - side) / 2, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
  model.picture = small.toDataURL();
  if (model.key) pictureKept(model.key, model.picture).catch(() => {}); // a nicety
  layOut();
}

/** The select, the cards, and the buttons that belong to the chosen model. */
function layOut() {
  const all = entries(), was = select.value, focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.model;
  select.replaceChildren(...all.map(({ id, title, from }) => new Option(from === 'kept' ? `${title} (kept)` : title, id)));
  select.value = all.some(({ id }) => id === was) ? was : all[0]?.id ?? '';
  const model = chosen();
  $('r-cards').replaceChildren(...all.filter(({ of }) => !of).map((one) => card(one, faster(one, all), first(one, all), model, pick, pickModel)));
  if (focused) /** @type {HTMLElement | null} */ ($('r-cards').querySelector(`[data-model="${CSS.escape(focused)}"]`))?.focus();
  $('keep').hidden = model?.from !== 'opened';
  $('forget').hidden = model?.from !== 'kept';
}
