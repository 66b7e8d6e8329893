// Starts the page: the engine, the two chains, then what stands below them, one after the other so that the page answers in between;
// and pictures that are dropped or pasted anywhere.
import { misread, pollen } from './api/pollen.js';
import { $, named } from './ui/dom.js';
import { breathe, drawn } from './ui/breathe.js';
import { adapterName, complain, say } from './ui/runs.js';
import { startContents } from './ui/contents.js';
import { startFormulas } from './ui/formulas.js';
import { startGuesses } from './ui/guess.js';
import { startWords } from './ui/words.js';
import { startArrival } from './sections/arrival.js';
import { startForward } from './sections/forward/forward.js';
import { take } from './sections/forward/picture.js';
import { startReverse } from './sections/reverse.js';
import { shared } from './sections/reverse/fields.js';
import { linked, place, startAddress } from './sections/address.js';
import { startRace } from './sections/race.js';
import { openCheckpoint } from './sections/models/shelf.js';
import { samplersKnown } from './ui/samplers.js';
import { startOffline } from './sections/offline.js';
import { briefly, explainMissingGpu } from './ui/webgpu.js';

const settings = () => import('./sections/train/settings.js'), restoring = () => import('./sections/restore.js');

/** Shows a section, and goes there where the address asks for it. @param {string} section */
async function appear(section) {
  const shown = $(section);
  shown.hidden = false;
  const at = document.getElementById(place());
  if (at && shown.contains(at)) (at.closest('.part') ?? shown).scrollIntoView();
  await drawn();
}

/** Resolves once every section can be used; a sentence where one of them cannot. */
async function start() {
  let failed = '';
  if (linked().size) document.getElementById(place())?.scrollIntoView(); // the browser knows no section with settings behind it
  for (const begin of [startArrival, startForward, () => appear('reverse'), startReverse, startContents, startFormulas, startGuesses, startWords]) {
    await breathe();
    await begin();
  }
  // All are fetched at once; each is laid out and begins in its turn: together they keep the browser from answering for 60 ms.
  /** @type {[section: string | null, begin: Promise<() => unknown>][]} */
  const sections = [
    ['between', import('./sections/between.js').then(({ startBetween }) => startBetween)],
    ['race', Promise.resolve(() => startRace(shared))],
    ['unet', import('./sections/unet.js').then(({ startUnet }) => startUnet)],
    ['train', import('./sections/train/train.js').then(({ startTraining }) => startTraining)],
    ['bound', import('./sections/likelihood.js').then(({ startLikelihood }) => startLikelihood)],
    ['kl', import('./sections/bound/kl.js').then(({ startKl }) => startKl)],
    ['decoder', import('./sections/bound/decoder.js').then(({ startDecoder }) => startDecoder)],
    ['ideal-denoiser', import('./sections/ideal-denoiser.js').then(({ startIdealDenoiser }) => startIdealDenoiser)],
    ['plane', import('./sections/plane.js').then(({ startPlane }) => startPlane)],
    ['speed', import('./sections/speed.js').then(({ startSpeed }) => startSpeed)],
    [null, import('./ui/thumbnail.js').then(({ startThumbnail }) => () => startThumbnail([['forward-canvas', 'hero-forward'], ['xt-canvas', 'hero-reverse']]))],
  ];
  for (const [, begun] of sections) begun.catch(() => {}); // said below
  for (const [section, begun] of sections) {
    try {
      const begin = await begun;
      if (section) await appear(section);
      await breathe();
      await begin();
    } catch (error) {
      failed = `A part of the page could not be started: ${named(error).message}. Reload the page.`;
    }
  }
  $('restore').addEventListener('change', () => restoring().then(({ restoreChosen }) => restoreChosen()).catch(complain));
  startAddress();
  document.documentElement.dataset.started = 'true';
  return failed;
}

const starting = $('status').textContent;
Promise.all([pollen.ready, samplersKnown, start()]).then(([adapter, , failed]) => {
  if (misread || failed) complain(failed || misread);
  if (adapter.device === 'cpu') explainMissingGpu(adapter);
  startOffline();
  if ($('status').textContent !== starting) return; // a link's picture, or what it waits for, is said there
  say(adapter.device === 'cpu' ? `Ready. The processor does the work: ${briefly(adapter)}.` : `Ready on ${adapterName()}.`);
}, (error) => {
  say('The engine could not start.');
  complain(error);
});

const frames = [$('forward-frame'), $('hero-forward-frame')];
const marked = (/** @type {boolean} */ over) => { for (const frame of frames) frame.classList.toggle('drop', over); };
const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files');
addEventListener('dragover', (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  marked(true);
});
addEventListener('dragleave', (event) => { if (!event.relatedTarget) marked(false); });
addEventListener('drop', (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  marked(false);
  bring(event.dataTransfer, /** @type {Element} */ (event.target).closest?.('section')?.id);
});
addEventListener('paste', (event) => bring(event.clipboardData));

/**
 * Whether it is to be made again: a saved sample that is dropped on the forward chain is a picture for it.
 * @param {File} file
 * @param {string} [over] the section
 */
async function isRun(file, over) {
  const found = await (await restoring()).saved(file);
  return found && (found.chain === 'forward' || over !== 'forward');
}

/**
 * Model files go to the reverse chain, several pictures and what is dropped there to the training, a PNG that was saved here is the
 * run that made it, anything else is a picture.
 * @param {DataTransfer | null} transfer
 * @param {string} [over] the section where it was dropped
 */
async function bring(transfer, over) {
  const carried = transfer?.types.includes('Files'); // it is empty by the time that folders have been read
  const files = await everyFile(transfer);
  if (files.some(({ name }) => /\.(safetensors|bin|ckpt|pt|pth)$|^config\.json$/.test(name)) || (over !== 'train' && files.some(({ name }) => /\.zip$/i.test(name)))) openCheckpoint(files);
  else if (files.length > 1 || files.some(({ name }) => /\.(npz|npy)$|idx\d-(ubyte|int)(\.gz)?$/i.test(name)) || (files.length && over === 'train')) await (await settings()).takePictures(files);
  else if (files.length && (await isRun(files[0], over))) await (await restoring()).restore(files[0]);
  else if (files.length) take(files[0]);
  else if (carried) complain('There are no files in what was dropped.');
}

/**
 * The files of a drop; those inside dropped folders get their `path`.
 * @param {DataTransfer | null} transfer
 */
async function everyFile(transfer) {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (!entries.some((entry) => entry.isDirectory)) return [...(transfer?.files ?? [])];
  return (await Promise.all(entries.map(inside))).flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function inside(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [Object.assign(file, { path: entry.fullPath.slice(1) })];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */ const found = [];
  /** @type {() => Promise<FileSystemEntry[]>} */
  const next = () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (let more; (more = await next()).length;) found.push(...more);
  return (await Promise.all(found.map(inside))).flat();
}
