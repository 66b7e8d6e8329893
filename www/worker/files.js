// A model's files as the engine reads them: by slices, and what passes by as it comes.
import { crc32 } from '../files/chunks.js';
import { directly } from '../files/outside.js';
import { letGo, Passing, passes } from '../files/passing.js';

/**
 * @import { Model, ModelFile } from '../api/types.js'
 * @import { Get } from '../files/models.js'
 * @import { Call } from './call.js'
 *
 * @typedef {Omit<Model, 'id' | 'title'> & { files: string[] }} Loaded
 */

/**
 * The model among `files` on the engine, and those that are its own. What is not there yet is waited for: the engine names it by
 * reading it, and is asked again.
 * @param {import('../wasm/pollen.js').Engine} engine
 * @param {(ModelFile | Passing)[]} files
 * @param {{ call: Call, get?: Get }} how
 * @returns {Promise<{ model: Loaded, files: ModelFile[] }>}
 */
export async function loadFiles(engine, files, { call, get = directly }) {
  const { signal } = call.abort;
  /** @type {Map<string, ModelFile>} */ const all = new Map();
  /** @type {Passing[]} */ const passing = [];
  let away = 0; // bytes of those that are elsewhere
  const source = (/** @type {ModelFile | Passing} */ { path, file }, /** @type {Passing | null} */ begun = null) => {
    all.set(path, { path, file });
    if (!passes(file)) return readable(path, file, source);
    const before = away;
    if ('url' in file) away += file.size;
    const made = begun ?? new Passing(path, file, { get, signal, onBytes: (end) => call.progress({ loaded: before + end, total: away, file: path }) });
    passing.push(made);
    return { path, size: file.size, read: made.read.bind(made), arrive: made.arrive.bind(made) };
  };
  const sources = files.map((file) => source(file, file instanceof Passing ? file : null));
  const onProgress = (/** @type {number} */ part, /** @type {number} */ total) => away || call.progress({ loaded: part * total, total, file: null });
  for (;;) {
    try {
      const { files: used, ...model } = /** @type {Loaded} */ (await engine.load(sources, onProgress));
      return { model: /** @type {Loaded} */ (model), files: used.flatMap((path) => all.get(path) ?? []) };
    } catch (error) {
      const failed = passing.find(({ failed }) => failed)?.failed, late = passing.find(({ wanted }) => wanted);
      signal.throwIfAborted();
      if (failed || !late) throw failed ?? error;
      const { wanted } = late;
      late.wanted = 0;
      await late.arrive(0, wanted);
    }
  }
}

const PIECE = 4 * 2 ** 20; // bytes read at a time

/**
 * A part of a zip file that is there as it is, of which nothing is given before all of it has been checked.
 * @param {string} path
 * @param {Blob} packed
 * @param {number} crc
 * @param {(file: ModelFile) => object} source
 */
function checked(path, packed, crc, source) {
  const made = /** @type {ReturnType<typeof readable>} */ (source({ path, file: packed }));
  /** @type {boolean | undefined} */ let whole;
  const sum = () => {
    let sum = 0;
    const bytes = new Uint8Array(Math.min(PIECE, packed.size));
    for (let begin = 0; begin < packed.size; begin += PIECE) sum = crc32(bytes.subarray(0, made.read(begin, bytes.subarray(0, packed.size - begin))), sum);
    return sum;
  };
  const read = (/** @type {number} */ begin, /** @type {Uint8Array} */ bytes) => {
    whole ??= sum() === crc;
    if (!whole) throw new Error('it is damaged: its checksum is another than its zip file says');
    return made.read(begin, bytes);
  };
  return { ...made, read };
}

/**
 * A file as the engine reads it, slice by slice; if it is a zip file its members, each once.
 * @param {string} path
 * @param {Blob} file
 * @param {(file: ModelFile) => object} source
 */
export function readable(path, file, source) {
  const read = (/** @type {number} */ begin, /** @type {Uint8Array} */ bytes) => {
    const part = new FileReaderSync().readAsArrayBuffer(file.slice(begin, begin + bytes.length)), { byteLength } = part;
    bytes.set(new Uint8Array(part));
    letGo(part);
    return byteLength;
  };
  /** @type {Map<string, object>} */ const members = new Map();
  const member = (/** @type {string} */ of, /** @type {number} */ begin, /** @type {number} */ end, /** @type {number | undefined} */ size, /** @type {number} */ crc) => {
    const packed = file.slice(begin, end);
    const made = members.get(of) ?? (size === undefined ? checked(of, packed, crc, source) : source({ path: of, file: { size, crc, packed } }));
    members.set(of, made);
    return made;
  };
  return { path, size: file.size, modified: file instanceof File ? file.lastModified : undefined, read, arrive: () => undefined, member };
}
