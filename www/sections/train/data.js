// Pictures to train on, as the engine takes them: bytes [N, C, H, W] of one size, classes by folder.
import { halved, pixels, seen, sizes } from '../../files/picture.js';
import { openWhole } from '../whole.js';
import { pollen } from '../../api/pollen.js';
import { channelNotes, frameNotes, sizeNotes } from './notes.js';

/**
 * @import { Arrangement, LabelSource } from '../../api/types.js'
 *
 * @typedef {{ pixels: Uint8Array, channels: number, height: number, width: number, classes?: string[], labels?: number[] }} Data
 */

const MEGABYTES = 256;
const MOVING = /\.(a?png|gif|webp|tiff?|avif)$/i; // files that may hold several pictures

/**
 * A picture's middle square in bytes, planar.
 * @type {(square: HTMLCanvasElement, edge: number, channels: number) => Uint8Array}
 */
export const bytes = (square, edge, channels) => Uint8Array.from(pixels(square, edge, channels), (x) => Math.round((x + 1) * 127.5));

/**
 * By its first bytes, no picture: a zip or gzip file, or an array of NumPy's or MNIST's.
 * @param {File} file
 */
export async function isData(file) {
  const [a, b, c] = new Uint8Array(await file.slice(0, 3).arrayBuffer());
  return (a === 0x50 && b === 0x4b) || (a === 0x1f && b === 0x8b) || (a === 0x93 && b === 0x4e) || (a === 0 && b === 0 && c === 8);
}

/** By its first bytes, a zip file. */
const isZip = async (/** @type {File} */ file) => (await file.slice(0, 4).text()) === 'PK\x03\x04';

/**
 * `files` as training data. The engine reads arrays, and says which files are pictures, in which order and of which class; a
 * single one is a picture whatever its name, and a damaged one is taken only `asItIs`. What was understood is in `notes`, and which
 * pictures could not be read is `refused`. `onProgress` may throw to stop.
 * @param {File[]} files
 * @param {{ edge: number, channels: number, labels: string, asItIs: boolean }} how
 * @param {(done: number, total: number) => void} onProgress
 * @returns {Promise<{ data: Data, count: number, first: HTMLCanvasElement | null, notes: string[], refused: string | null }>}
 */
export async function gather(files, { edge, channels, labels: source, asItIs }, onProgress) {
  const labelled = { labels: /** @type {LabelSource} */ (source) };
  const arrays = async (/** @type {File[]} */ from) => {
    const read = await pollen.readArrays(from, { channels, height: edge, width: edge, ...labelled });
    if (!read) return null;
    const { notes, classes, ...data } = read, count = data.pixels.length / (channels * edge * edge);
    return { data: { ...data, ...(classes.length ? { classes } : {}) }, count, first: null, notes, refused: null };
  };
  const read = asItIs ? null : await arrays(files);
  if (read) return read;
  const zip = files.length === 1 && await isZip(files[0]) ? await pollen.unzip(files[0]) : null;
  if (zip) {
    // MNIST's files, and what is no training data, are known by what they begin with
    const inside = await arrays(zip.files.map((file) => Object.assign(new File([file], file.name), { path: `${files[0].name}/${file.path}` })));
    if (inside) return inside;
    files = zip.files;
  }
  /** @type {Arrangement} */
  const { pictures, classes, notes } = files.length === 1 && !zip ? { pictures: [{ index: 0, label: 0 }], classes: [], notes: [] } : await pollen.arrangePictures(files, labelled);
  notes.push(...zip?.notes ?? []);
  const each = edge * edge * channels, most = Math.floor((MEGABYTES * 2 ** 20) / each);
  if (pictures.length > most) {
    throw new Error(`${pictures.length} pictures of ${edge} × ${edge} take ${Math.round((pictures.length * each) / 2 ** 20)} MB, and the page holds ${MEGABYTES} MB: choose ${most} at most, or a smaller size.`);
  }
  const all = new Uint8Array(pictures.length * each), /** @type {number[]} */ labels = [], /** @type {[string, Error][]} */ refused = [];
  /** @type {(ReturnType<typeof seen> & { width: number, height: number })[]} */ const taken = [];
  /** @type {[string, number][]} */ const several = [];
  /** @type {HTMLCanvasElement | null} */ let first = null;
  for (const [i, { index, label }] of pictures.entries()) {
    onProgress(i, pictures.length);
    try {
      const square = await openWhole(files[index], asItIs);
      first ??= square;
      const near = halved(square, edge), frames = MOVING.test(files[index].name) ? await pollen.pictureFrames(files[index]) : 1;
      all.set(bytes(near, edge, channels), labels.length * each);
      labels.push(label);
      taken.push({ ...seen(near, edge), ...(sizes.get(square) ?? { width: edge, height: edge }) });
      if (frames > 1) several.push([files[index].name, frames]);
    } catch (error) {
      refused.push([files[index].name, /** @type {Error} */ (error)]);
    }
  }
  const count = labels.length;
  if (!count) throw new Error(files.length === 1 && refused.length ? refused[0][1].message : `None of the ${pictures.length} pictures can be read by this browser.`);
  // src/train/data/classes.rs has the same sentence
  if (refused.length && classes.length) notes.push(`without those that are left out: ${classes.map((name, k) => `${name} ${labels.filter((label) => label === k).length}`).join(', ')}`);
  notes.push(...sizeNotes(taken, edge), ...channelNotes(taken, channels), ...frameNotes(several, count));
  return {
    data: { pixels: all.slice(0, count * each), channels, height: edge, width: edge, ...(classes.length ? { classes, labels } : {}) },
    count, first, notes,
    refused: refused.length ? `${refused.length} of ${pictures.length} pictures are damaged or cannot be read, and are left out: ${refused.map(([name]) => name).join(', ')}.` : null,
  };
}
