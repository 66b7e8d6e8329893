// The chunks that a PNG file is made of (PNG, third edition): written, read, and the texts in them.

export const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/**
 * A chunk: length, type, data, checksum.
 * @param {string} type of four letters
 * @param {...(Uint8Array | number)} data bytes, and numbers of 32 bits
 */
export function chunk(type, ...data) {
  const size = data.reduce((/** @type {number} */ sum, part) => sum + (typeof part === 'number' ? 4 : part.length), 0);
  const bytes = new Uint8Array(size + 12), view = new DataView(bytes.buffer);
  view.setUint32(0, size);
  bytes.set(latin(type), 4);
  let at = 8;
  for (const part of data) {
    if (typeof part === 'number') view.setUint32(at, part); else bytes.set(part, at);
    at += typeof part === 'number' ? 4 : part.length;
  }
  view.setUint32(at, crc32(bytes.subarray(4, at)));
  return bytes;
}

/**
 * A tEXt chunk. Its characters are those of Latin-1.
 * @param {string} keyword
 * @param {string} text
 */
export const text = (keyword, text) => chunk('tEXt', latin(`${keyword}\0${text}`));

/**
 * The chunks of a file; none where it is no PNG, and the whole ones of a file that is cut short.
 * @param {Uint8Array} bytes
 */
export function chunks(bytes) {
  /** @type {{ type: string, data: Uint8Array }[]} */ const found = [];
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) return found;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; at + 12 <= bytes.length;) {
    const size = view.getUint32(at), end = at + 8 + size;
    if (end + 4 > bytes.length) break;
    found.push({ type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), data: bytes.subarray(at + 8, end) });
    at = end + 4;
  }
  return found;
}

/**
 * The text of that keyword, or nothing.
 * @param {Uint8Array} bytes of a PNG file
 * @param {string} keyword
 */
export function textOf(bytes, keyword) {
  for (const { type, data } of chunks(bytes)) {
    if (type !== 'tEXt') continue;
    const end = data.indexOf(0);
    if (unlatin(data.subarray(0, end)) === keyword) return unlatin(data.subarray(end + 1));
  }
  return null;
}

const latin = (/** @type {string} */ text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const unlatin = (/** @type {Uint8Array} */ bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  return crc;
});

/** The checksum of PNG's chunks and of zip files, going on from that of the bytes before. */
export function crc32(/** @type {Uint8Array} */ bytes, before = 0) {
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return ~crc >>> 0;
}
