// Files of a model that nobody holds: their bytes pass by, from the beginning to the end, and are let go of behind the engine.

/**
 * @import { Passed } from '../api/types.js'
 * @import { Get } from './models.js'
 *
 * @typedef {object} Way how the bytes come
 * @property {Get} get asks the server of those that are elsewhere
 * @property {AbortSignal} signal stops them
 * @property {(end: number) => void} [onBytes] hears how many have arrived of those elsewhere
 */

/** What is as large as this is not held beside what the engine makes of it. */
export const LARGE = 64 << 20;
const PIECE = 64 << 10; // of deflated bytes

/**
 * @param {Blob | Passed} file
 * @returns {file is Passed}
 */
export const passes = (file) => !(file instanceof Blob);

/**
 * The bytes of a file, from its beginning.
 * @param {string} path
 * @param {Passed} file
 * @param {Way} way
 * @returns {Promise<ReadableStream<Uint8Array>>}
 */
export async function streamOf(path, file, { get, signal }) {
  if ('packed' in file) return unpacked(file);
  const answer = await get(file.url, { signal });
  if (answer.ok && answer.body) return answer.body;
  await answer.body?.cancel();
  throw named(`${path} could not be fetched: the server answered ${answer.status}.`);
}

/**
 * What comes of deflated bytes, put between the head and the end of a gzip file so that their checksum is checked. A few are given at a
 * time, as all that comes of those is there at once.
 * @param {{ size: number, crc: number, packed: Blob }} file
 */
function unpacked({ size, crc, packed }) {
  const { readable, writable } = new DecompressionStream('gzip'), writer = writable.getWriter();
  const write = async () => {
    await writer.write(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff));
    for (let at = 0; at < packed.size; at += PIECE) {
      const piece = new Uint8Array(await packed.slice(at, at + PIECE).arrayBuffer());
      await writer.write(piece);
      letGo(piece.buffer);
    }
    await writer.write(new Uint8Array(Uint32Array.of(crc, size).buffer));
    await writer.close();
  };
  write().catch((error) => writer.abort(error).catch(() => {})); // whoever reads hears of it
  return readable;
}

/**
 * Gives a buffer's memory back at once, by sending it to nobody. Until they were collected, the slices of a file would be as large as
 * the file; ArrayBuffer's own `transfer` keeps them longer still.
 * @param {ArrayBufferLike} buffer
 */
export function letGo(buffer) {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(buffer, [/** @type {ArrayBuffer} */ (buffer)]);
  port1.close();
}

/** A file that passes by. What has been waited for can be read, until something behind it is waited for. */
export class Passing {
  /** How far the bytes are needed that were read in vain. */
  wanted = 0;
  /** Why they do not come. @type {unknown} */ failed = null;
  /** @type {ReadableStreamDefaultReader<Uint8Array> | null} */ #reader = null;
  /** @type {{ at: number, bytes: Uint8Array }[]} */ #parts = [];
  #end = 0;
  /** @type {Way} */ #way;

  /**
   * @param {string} path
   * @param {Passed} file
   * @param {Way} way
   * @param {ReadableStream<Uint8Array>} [begun] that comes already
   */
  constructor(path, file, way, begun) {
    this.path = path;
    this.file = file;
    this.#way = way;
    this.#reader = begun?.getReader() ?? null;
  }

  get size() { return this.file.size; }

  /**
   * @param {number} begin
   * @param {Uint8Array} into
   */
  read(begin, into) {
    const end = begin + into.length;
    if (this.failed) throw this.failed;
    if (begin < (this.#parts[0]?.at ?? this.#end) || end > this.#end) {
      // The directory of PyTorch's zip files is at their end.
      this.wanted = this.path.endsWith('.safetensors') ? end : this.size;
      throw new Error('it has not arrived');
    }
    for (const { at, bytes } of this.#parts) {
      const from = Math.max(begin, at), to = Math.min(end, at + bytes.length);
      if (from < to) into.set(bytes.subarray(from - at, to - at), from - begin);
    }
    return into.length;
  }

  /**
   * Resolves when the bytes from `begin` to `end` can be read. What is before them cannot, from then on.
   * @param {number} begin
   * @param {number} end
   */
  async arrive(begin, end) {
    try {
      if (begin < (this.#parts[0]?.at ?? this.#end)) await this.#restart();
      while (this.#parts.length && this.#parts[0].at + this.#parts[0].bytes.length <= begin) this.#drop();
      while (this.#end < end) await this.#next(begin);
      if (end === this.size && 'packed' in this.file) await this.#reader?.read().catch((error) => this.#stopped(error)); // the checksum
    } catch (error) {
      this.failed = error;
      throw error;
    }
  }

  #drop() { letGo(/** @type {{ bytes: Uint8Array }} */ (this.#parts.shift()).bytes.buffer); }

  async #restart() {
    await this.#reader?.cancel().catch(() => {});
    while (this.#parts.length) this.#drop();
    this.#end = 0;
    this.#reader = (await streamOf(this.path, this.file, this.#way)).getReader();
  }

  /** @param {number} begin of what is kept */
  async #next(begin) {
    this.#way.signal.throwIfAborted();
    if (!this.#reader) return this.#restart();
    const { done, value } = await this.#reader.read().catch((error) => this.#stopped(error));
    if (done) throw named(`${this.path} ends early: ${this.#end} of its ${this.size} bytes are there. It was cut short, or damaged; get it again.`);
    if (!value) return undefined; // interrupted
    const { length } = value;
    if (this.#end + length > begin) this.#parts.push({ at: this.#end, bytes: value });
    else letGo(value.buffer);
    this.#end += length;
    if ('url' in this.file) this.#way.onBytes?.(this.#end);
    return undefined;
  }

  /**
   * Where another file was asked for in the meantime, this one comes again.
   * @param {Error} error
   * @returns {{ done: boolean, value?: Uint8Array }}
   */
  #stopped(error) {
    if (error.name === 'AbortError') throw error;
    if (error.name !== 'InterruptedError') {
      const how = 'url' in this.file ? 'stopped arriving' : 'is damaged: it cannot be unpacked';
      throw named(`${this.path} ${how} after ${this.#end} of ${this.size} bytes (${error.message}). ${'url' in this.file ? 'Try again.' : 'Get the zip file again.'}`);
    }
    this.#reader = null;
    return { done: false };
  }
}

const named = (/** @type {string} */ message) => Object.assign(new Error(message), { name: 'ModelError' });
