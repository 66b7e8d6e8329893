// The picture whose bound is measured: one of the chosen model's own sheet, or that of the forward chain.
import { asNetwork, toBytes } from '../../files/picture.js';
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { $, fields, make } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';
import { picture } from '../forward/picture.js';
import { chosen } from '../models/shelf.js';

/**
 * @import { Entry } from '../models/entry.js'
 * @typedef {{ square: HTMLCanvasElement, title: string }} Subject
 */

const ACROSS = 8; // samples in a row of a sheet
const field = fields('bound-form'), canvas = $('bound-picture', HTMLCanvasElement);
let asked = 0;

/**
 * The first sample of a model's sheet.
 * @param {NonNullable<Entry['sheet']>} sheet
 */
async function sample({ path }) {
  const image = new Image();
  image.src = path;
  await image.decode();
  const edge = image.naturalWidth / ACROSS, square = make('canvas', { width: edge, height: edge });
  square.getContext('2d')?.drawImage(image, 0, 0, edge, edge, 0, 0, edge, edge);
  return square;
}

/** @returns {Promise<Subject>} */
export async function subject(model = chosen()) {
  if (field.picture.value === 'chain' || !model?.sheet) return picture();
  return { square: await sample(model.sheet), title: `the first sample of ${model.title}` };
}

/** The picture as the network will see it. */
async function show() {
  const mine = ++asked, model = chosen(), { square, title } = await subject(model), size = model?.sheet?.size ?? model?.open?.width ?? 28, channels = model?.sheet?.channels ?? 3;
  if (mine !== asked) return;
  drawGrid(canvas, toBytes(asNetwork(square, { channels, height: size, width: size }), size, channels), { width: size, height: size });
  canvas.setAttribute('aria-label', `The picture to measure: ${title}`);
  $('bound-picture-caption').textContent = `To be measured: ${title}, as the network sees it.`;
  canvas.closest('figure')?.removeAttribute('hidden');
}

keepFitted(canvas);
const again = () => { show().catch(complain); };
field.picture.addEventListener('change', again);
document.addEventListener('model', again);
document.addEventListener('picture', again);
again();
