// The models to choose from: shipped, kept from an earlier visit, opened just now; by picture or by name.
import { pollen } from '../../api/pollen.js';
import { adapterName, complain, forgive, run, say } from '../../ui/runs.js';
import { megabytes } from '../../ui/numbers.js';
import { showCard, testOpened } from './card.js';
import { pictureKept } from '../../files/kept.js';

const $ = (id) => document.getElementById(id);
const select = $('r-model');
const OPENED = 'opened';
const THUMBNAIL = 64;

// Entries: { id, title, bytes, source, from: 'site' | 'kept' | 'opened', picture?, defaults? }; source is what loadModel takes.
// Once it has been loaded: { labels, variance, trainSteps } too.
let shipped = [], kept = [], opened = null;
let current = null; // what the engine holds, while pollen.model is not null
let onChoice = () => {};

const entries = () => [...shipped, ...kept, opened].filter(Boolean);

/** The entry that is chosen. */
export const chosen = () => entries().find(({ id }) => id === select.value) ?? null;

/**
 * `listener(entry, labels)` hears of every choice, at once and again when more is known; `labels` are { classes, any }, or
 * less, or null while they are on their way. `wanted` is the id that will be chosen first.
 */
export async function startShelf(listener, wanted) {
  onChoice = listener;
  select.addEventListener('change', choose);
  for (const id of ['r-files', 'r-folder']) $(id).addEventListener('change', ({ target }) => openCheckpoint(target.files));
  $('r-address').addEventListener('keydown', (event) => { if (event.key === 'Enter') { event.preventDefault(); openAddress(); } });
  $('r-open').addEventListener('click', openAddress);
  $('keep').addEventListener('click', () => keep().catch(complain));
  $('forget').addEventListener('click', () => forget().catch(complain));
  try {
    const answer = await fetch('models/index.json');
    if (!answer.ok) throw new Error(`The list of models, models/index.json, could not be fetched: the server answered ${answer.status}.`);
    shipped = (await answer.json()).map((model) => ({ ...model, source: model.path, from: 'site' }));
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

const ofKept = ({ id, picture }) => ({ id: `kept:${id}`, key: id, picture, source: `kept:${id}`, from: 'kept' });

/** Chooses the model of that id, or the first where there is none. */
export async function chooseModel(id) {
  select.value = id;
  if (!chosen() && entries().length) select.value = entries()[0].id;
  await choose();
}

/** What is known of the chosen model before its weights are here: size and classes. */
async function choose() {
  const model = chosen();
  layOut();
  if (!model) return;
  const ready = pollen.model && current === model;
  $('r-model-hint').textContent = ready ? `${megabytes(model.bytes)}, ready on ${adapterName()}.` : {
    site: `${megabytes(model.bytes)}, fetched from this site when you first press Generate.`,
    kept: `${megabytes(model.bytes)}, kept on this machine from an earlier visit.`,
    opened: `${megabytes(model.bytes)}, opened from ${model.host ?? 'this machine'}.`,
  }[model.from];
  const known = model.labels ?? (model.from === 'site' ? null : {});
  onChoice(model, known);
  if (known) return;
  const labels = await fetch(`${model.path}labels.json`).then((answer) => (answer.ok ? answer.json() : {}), () => ({}));
  if (chosen() === model && !model.labels) onChoice(model, labels);
}

/** The chosen model on the device, whatever it takes; its entry. */
export async function load(report) {
  const model = chosen();
  if (!model) throw new Error('There is no model to generate with: models/index.json could not be read. Reload the page.');
  if (pollen.model && current === model) return model;
  current = null;
  await pollen.loadModel(model.source, {
    onProgress: ({ loaded, total, file }) => report(loaded, total, file
      ? `${model.from === 'site' || model.host ? 'Fetching' : 'Reading'} ${model.title}${total ?? model.bytes ? `, ${megabytes(total ?? model.bytes)}` : ''}.`
      : `Preparing ${model.title} on ${adapterName()}.`),
  });
  current = model;
  const { classes, any, variance, trainSteps } = pollen.model;
  Object.assign(model, { labels: { classes, any }, variance, trainSteps });
  if (model.from === 'opened') {
    const bytes = pollen.files.reduce((sum, { file }) => sum + file.size, 0);
    Object.assign(model, { title: pollen.model.title, bytes, defaults: preferred(pollen.model), source: pollen.files });
  }
  await choose();
  await showCard();
  return model;
}

/** A checkpoint's own solver; DDPM's thousand steps are nobody's first wish. */
const preferred = ({ sampler }) => (sampler === 'ddpm' ? {} : { sampler });

/** Opens a checkpoint that the visitor picked or dropped, and chooses it. */
export async function openCheckpoint(files) {
  if (!files.length) return;
  await open({ source: [...files], title: 'the opened checkpoint', bytes: [...files].reduce((sum, file) => sum + file.size, 0) });
}

/** Makes a model that the engine already holds the chosen one; `files`, `[{ path, file }]`, bring it back after another. */
export async function adopt(title, files) {
  const { classes, any, variance, trainSteps } = pollen.model;
  pollen.files = files;
  pollen.model.title = title;
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  opened = { id: OPENED, from: 'opened', title, bytes, source: files, labels: { classes, any }, variance, trainSteps, defaults: preferred(pollen.model) };
  current = opened;
  layOut();
  await chooseModel(OPENED);
  await showCard();
}

async function openAddress() {
  const field = $('r-address'), address = field.value.trim();
  const good = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
  field.setAttribute('aria-invalid', String(!good));
  if (!good) {
    field.focus();
    return complain(`${address ? `“${address}” is no address` : 'The address is missing'}. One looks like https://example.org/folder/.`);
  }
  await open({ source: address, host: new URL(address).host, title: 'the model', bytes: 0 });
}

async function open(model) {
  const before = select.value, previous = opened;
  const said = await run(async (report) => {
    opened = { ...model, id: OPENED, from: 'opened' };
    layOut();
    select.value = OPENED;
    await load(report);
    return { clause: await testOpened(report) };
  });
  if (said) return say(`Opened ${opened.title}${said.clause}. Press Generate.`);
  if (current !== opened) opened = previous;
  layOut();
  await chooseModel(current && current === opened ? OPENED : before);
}

async function keep() {
  const model = opened;
  forgive();
  say(`Keeping ${model.title}.`);
  try {
    const { picture = null, defaults, labels, variance, trainSteps } = model;
    Object.assign(model, ofKept(await pollen.keepModel({ picture, defaults, labels, variance, trainSteps })));
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
  await pollen.forgetModel(model.key);
  kept = kept.filter((one) => one !== model);
  layOut();
  await chooseModel('');
  say(`Forgot ${model.title}: its files are no longer kept on this machine.`);
  select.focus();
}

/** Gives the chosen model's card a picture of what it made, where it has none. */
export function pictured(canvas, width, height) {
  const model = chosen();
  if (!model || model.picture) return;
  const small = Object.assign(document.createElement('canvas'), { width: THUMBNAIL, height: THUMBNAIL });
  const context = small.getContext('2d'), side = Math.min(width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, (width - side) / 2, (height - side) / 2, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
  model.picture = small.toDataURL();
  if (model.key) pictureKept(model.key, model.picture).catch(() => {}); // a nicety
  layOut();
}

/** The select, the cards, and the buttons that belong to the chosen model. */
function layOut() {
  const all = entries(), was = select.value, focused = document.activeElement?.dataset?.model;
  select.replaceChildren(...all.map(({ id, title, from }) => new Option(from === 'kept' ? `${title} (kept)` : title, id)));
  select.value = all.some(({ id }) => id === was) ? was : all[0]?.id ?? '';
  const model = chosen();
  $('r-cards').replaceChildren(...all.map((one) => card(one, one === model)));
  if (focused) $('r-cards').querySelector(`[data-model="${CSS.escape(focused)}"]`)?.focus();
  $('keep').hidden = model?.from !== 'opened';
  $('forget').hidden = model?.from !== 'kept';
}

function card(model, pressed) {
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.model = model.id;
  button.setAttribute('aria-pressed', String(pressed));
  const picture = model.picture
    ? Object.assign(document.createElement('img'), { src: model.picture, alt: '' })
    : Object.assign(document.createElement('span'), { className: 'blank', textContent: model.title.replace(/^the /, '').charAt(0).toUpperCase() });
  if (!model.picture) picture.setAttribute('aria-hidden', 'true');
  const size = Object.assign(document.createElement('span'), { className: 'hint', textContent: model.bytes ? megabytes(model.bytes) : '…' });
  button.append(picture, Object.assign(document.createElement('span'), { className: 'name', textContent: model.title }), size);
  button.addEventListener('click', () => chooseModel(model.id));
  return button;
}
