// Zip files, with members as they are or deflated.
import { crc32, deflateRawSync } from 'node:zlib';

/** @type {(n: number, bytes: 2 | 4) => Buffer} */
const number = (n, bytes) => { const all = Buffer.alloc(bytes); all.writeUIntLE(n, 0, bytes); return all; };

/**
 * The file of such members by name. A member may be given as what comes of it deflated, where that was made elsewhere.
 * @param {Record<string, Buffer | string | { deflated: Buffer, size: number, crc: number }>} members
 * @param {{ deflate?: boolean }} [options]
 */
export function zip(members, { deflate = false } = {}) {
  /** @type {Buffer[]} */ const files = [], /** @type {Buffer[]} */ directory = [];
  let at = 0;
  for (const [path, member] of Object.entries(members)) {
    const name = Buffer.from(path), whole = typeof member === 'string' ? Buffer.from(member) : member;
    const { deflated, size, crc } = Buffer.isBuffer(whole) ? { deflated: deflate ? deflateRawSync(whole) : null, size: whole.length, crc: crc32(whole) } : whole;
    const bytes = deflated ?? /** @type {Buffer} */ (whole);
    const about = Buffer.concat([
      number(20, 2), number(0x800, 2), number(deflated ? 8 : 0, 2), Buffer.alloc(4), number(crc, 4), number(bytes.length, 4), number(size, 4), number(name.length, 2), number(0, 2),
    ]);
    files.push(Buffer.from('PK\x03\x04', 'latin1'), about, name, bytes);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), number(20, 2), about, Buffer.alloc(10), number(at, 4), name);
    at += 4 + about.length + name.length + bytes.length;
  }
  const all = Buffer.concat(directory), count = number(Object.keys(members).length, 2);
  return Buffer.concat([...files, all, Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(4), count, count, number(all.length, 4), number(at, 4), number(0, 2)]);
}
