// Pictures to train on, as the engine takes them: bytes [N, C, H, W] of one size, classes by folder.
import { openPicture, pixels } from '../../files/picture.js';

const MEGABYTES = 256;

/**
 * A picture's middle square in bytes, planar.
 * @type {(square: HTMLCanvasElement, edge: number, channels: number) => Uint8Array}
 */
export const bytes = (square, edge, channels) => Uint8Array.from(pixels(square, edge, channels), (x) => Math.round((x + 1) * 127.5));

/**
 * `files` as training data. Those that are no pictures are left out, and `said` tells which. Folders inside the chosen one
 * are classes. `onProgress` may throw to stop.
 * @param {File[]} files
 * @param {{ edge: number, channels: number }} size
 * @param {(done: number, total: number) => void} onProgress
 */
export async function gather(files, { edge, channels }, onProgress) {
  const each = edge * edge * channels, most = Math.floor((MEGABYTES * 2 ** 20) / each);
  if (files.length > most) {
    throw new Error(`${files.length} pictures of ${edge} × ${edge} take ${Math.round((files.length * each) / 2 ** 20)} MB, and the page holds ${MEGABYTES} MB: choose ${most} at most, or a smaller size.`);
  }
  const all = new Uint8Array(files.length * each), /** @type {string[]} */ folders = [], /** @type {[string, Error][]} */ refused = [];
  /** @type {HTMLCanvasElement | null} */ let first = null;
  for (const [i, file] of files.entries()) {
    onProgress(i, files.length);
    try {
      const square = await openPicture(file);
      first ??= square;
      all.set(bytes(square, edge, channels), folders.length * each);
      folders.push(folder(file));
    } catch (error) {
      refused.push([file.name, /** @type {Error} */ (error)]);
    }
  }
  const count = folders.length;
  if (!count) throw new Error(files.length === 1 ? refused[0][1].message : `None of the ${files.length} files is a picture that this browser can read.`);
  const names = [...new Set(folders)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const classes = names.length > 1 ? names : [];
  return {
    data: {
      pixels: all.slice(0, count * each), channels, height: edge, width: edge,
      ...(classes.length ? { classes, labels: folders.map((name) => classes.indexOf(name)) } : {}),
    },
    count,
    first,
    said: refused.length ? `${refused.length} of ${files.length} files could not be read as pictures and were left out: ${refused.slice(0, 3).map(([name]) => name).join(', ')}${refused.length > 3 ? ', …' : ''}.` : '',
  };
}

/**
 * The folder that a file lies in.
 * @param {File & { path?: string }} file
 */
function folder(file) {
  return (file.path || file.webkitRelativePath || '').split('/').at(-2) ?? '';
}
