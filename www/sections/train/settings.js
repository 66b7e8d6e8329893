// The settings of a training: its pictures, its network and what a step of that costs.
import { pollen } from '../../api/pollen.js';
import { openWhole, refuse } from '../whole.js';
import { $, fields, named } from '../../ui/dom.js';
import { figure, megabytes, millions } from '../../ui/numbers.js';
import { number, say } from '../../ui/runs.js';
import { picture } from '../forward/picture.js';
import { isData } from './data.js';
import { showLater, showPicture } from './display.js';
import { costOf, estimate } from './estimate.js';

/** @import { Settings } from './display.js' */

const NUMBERS_AND_CHOICES = /** @type {const} */ (['edge', 'channels', 'steps', 'batch', 'rate', 'every', 'prediction', 'loss', 'weights', 'labels']);
const SWITCHES = /** @type {const} */ (['crops', 'flips']);

const field = fields('train-form');
/** @type {File[] | null} */ let chosen = null;
let asItIs = false; // one damaged picture, and the visitor wants it

/** The visitor's files, or null for the forward chain's picture, and whether a damaged one is to be used. */
export const chosenFiles = () => ({ files: chosen, asItIs });

/** @param {() => boolean} idle whether costs may be asked for */
export function startSettings(idle) {
  $('train-form').addEventListener('change', (event) => {
    const { type, files } = /** @type {HTMLInputElement} */ (event.target);
    if (type === 'file') { takePictures([...(files ?? [])]); return; }
    showData();
    if (idle()) showCost();
  });
  $('t-forget').addEventListener('click', () => takePictures([]));
  document.addEventListener('picture', showData);
  showData();
  pollen.ready.then(showCost, () => {});
}

/**
 * Puts the settings of a training into the fields.
 * @param {Settings} settings
 */
export function fill(settings) {
  for (const name of NUMBERS_AND_CHOICES) field[name].value = String(settings[name] ?? field[name].value);
  field.network.value = settings.size;
  for (const name of SWITCHES) field[name].checked = settings[name];
}

/**
 * Takes the pictures that were chosen or dropped; none is the forward chain's again. Of several, damaged ones are left out
 * when they are read; a single one is refused at once.
 * @param {File[]} files
 * @param {boolean} [damaged] whether a single one is taken all the same
 */
export async function takePictures(files, damaged = false) {
  if (files.length === 1 && !damaged && !(await isData(files[0]))) {
    const error = await openWhole(files[0]).then(() => null, (error) => error);
    if (named(error).name === 'DamagedError') {
      await takePictures([]);
      return refuse(error, () => takePictures(files, true));
    }
  }
  chosen = files.length ? files : null;
  asItIs = damaged;
  $('t-found').hidden = true;
  $('t-forget').hidden = !chosen;
  if (!chosen) for (const name of ['t-files', 't-folder']) field[name].value = '';
  await showData();
  if (chosen) say(`${files.length === 1 ? `Training on ${files[0].name}` : `${files.length} files to train on`}. Press Train.`);
}

/** @returns {Settings} */
export function read() {
  return {
    edge: Number(field.edge.value), channels: Number(field.channels.value), size: field.network.value,
    steps: number(field.steps), batch: number(field.batch), rate: number(field.rate), every: number(field.every),
    labels: field.labels.value, crops: field.crops.checked, flips: field.flips.checked,
    prediction: field.prediction.value, loss: field.loss.value, weights: field.weights.value,
  };
}

/** The picture, or the first that can be read of those chosen, as the network will see it. */
async function showData() {
  const [edge, channels, files] = [Number(field.edge.value), Number(field.channels.value), chosen];
  /** @type {HTMLCanvasElement | null} */ let square = picture().square;
  if (files) {
    square = null;
    for (const file of files.slice(0, 20)) if (!(await isData(file)) && (square = await openWhole(file, asItIs).catch(() => null))) break;
    if (files !== chosen) return;
  }
  if (!square) return showLater();
  const name = files ? (files.length === 1 ? files[0].name : `the first of ${files.length} files`) : picture().title;
  showPicture(square, { edge, channels, name });
}

/** What a step of the chosen network costs, before anything is allocated. */
let asked = 0;
export async function showCost() {
  const mine = ++asked;
  let text, flops = 0;
  try {
    await pollen.ready;
    const need = await costOf({ size: field.network.value, edge: Number(field.edge.value), channels: Number(field.channels.value), batch: field.batch.valueAsNumber || 1 });
    flops = need.flops;
    text = `${millions(need.parameters)} million parameters. A step: ${figure(flops / 1e9)} billion operations. `
      + `Memory: ${megabytes(need.weight_bytes + need.arena_bytes)}, of which ${megabytes(need.weight_bytes)} for weights, gradients and averages.`;
  } catch (error) {
    text = named(error).message ?? '';
  }
  if (mine !== asked) return;
  $('t-cost').textContent = text;
  if (flops) await estimate(flops);
}
