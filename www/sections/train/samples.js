// The samples of a training as a film: of the averaged weights, of those as they are, and the training pictures nearest to the first.
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { $ } from '../../ui/dom.js';
import { figure, whole } from '../../ui/numbers.js';
import { showValues } from './display.js';

/**
 * @import { TrainingSample } from '../../api/types.js'
 */

const MOST = 200; // frames that are kept; beyond, every second goes
const COPY = 0.5; // of how far training pictures are apart

const canvases = { average: $('sample-canvas', HTMLCanvasElement), raw: $('raw-canvas', HTMLCanvasElement), nearest: $('nearest-canvas', HTMLCanvasElement) };
const slider = $('t-sample', HTMLInputElement), scrub = $('sample-scrub'), verdict = $('t-memory');
/** @type {TrainingSample[]} */ let film = [];

export function startSamples() {
  for (const canvas of Object.values(canvases)) keepFitted(canvas);
  slider.addEventListener('input', () => show(film[slider.valueAsNumber]));
}

/** A new training: its film begins with what is kept of it. @param {TrainingSample | null} [first] */
export function beginFilm(first = null) {
  film = [];
  for (const canvas of Object.values(canvases)) figureOf(canvas).hidden = true;
  scrub.hidden = verdict.hidden = true;
  if (first) addSample(first);
}

/** @param {TrainingSample} latest is shown unless an earlier one is being looked at */
export function addSample({ gradients, ...sample }) {
  if (gradients) import('./loudest.js').then(({ loudest }) => showValues({ block: loudest(gradients) }), () => {});
  const follows = !film.length || slider.valueAsNumber === film.length - 1, looked = film[slider.valueAsNumber];
  film.push(sample);
  if (film.length > MOST) film = film.filter((_, i) => i % 2 === 1 || i === film.length - 1);
  slider.max = String(film.length - 1);
  const at = follows ? film.length - 1 : Math.max(0, film.indexOf(looked));
  slider.value = String(at);
  scrub.hidden = film.length < 2;
  show(film[at]);
}

function show(/** @type {TrainingSample | undefined} */ sample) {
  if (!sample) return;
  const { rgba, raw, nearest, count, width, height, step } = sample, grid = { count, width, height, gap: count > 1 ? 1 : 0 };
  for (const [name, pixels] of /** @type {const} */ ([['average', rgba], ['raw', raw], ['nearest', nearest?.rgba]])) {
    figureOf(canvases[name]).hidden = !pixels || (name === 'nearest' && !sample.apart); // of a single picture, that is the one at the left
    if (pixels) drawGrid(canvases[name], new Uint8ClampedArray(pixels), grid);
  }
  $('sample-caption').textContent = `Sample of the averaged network at step ${step}`;
  $('raw-caption').textContent = `The same noise, by the weights as they are at step ${step}, not averaged`;
  $('nearest-caption').textContent = count > 1 ? 'The training pictures nearest to the averaged network’s' : 'The training picture nearest to it';
  $('t-sample-out').textContent = `step ${whole(step)}`;
  slider.setAttribute('aria-valuetext', `step ${step}`);
  verdict.hidden = !nearest;
  if (nearest) verdict.textContent = memorised(nearest.distances, sample.apart ?? null);
}

/** Whether samples are copies of training pictures, in words. Distances are root mean squares of numbers from −1 to 1. */
function memorised(/** @type {number[]} */ distances, /** @type {number | null} */ apart) {
  const far = distances.map(figure).join(', ');
  if (apart === null) return `Memorised? There is one picture to learn, and the sample is ${far} away from it: the root mean square over its pixels, whose values go from −1 to 1.`;
  const copies = distances.filter((distance) => distance < COPY * apart).length;
  const typical = `training pictures are ${figure(apart)} from the nearest other one (root mean square over pixels from −1 to 1, the median of some of them)`;
  return copies
    ? `Memorised? ${copies} of ${distances.length} samples ${copies === 1 ? 'is' : 'are'} nearer to a training picture than half of what lies between two of those: ${far}, where ${typical}. That looks like a copy.`
    : `Memorised? No sign of it: the samples are ${far} away from the nearest training pictures, where ${typical}.`;
}

const figureOf = (/** @type {HTMLElement} */ canvas) => /** @type {HTMLElement} */ (canvas.closest('figure'));
