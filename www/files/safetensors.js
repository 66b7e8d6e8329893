// safetensors files of F32 tensors, as diffusers and the command line write them: a length, a JSON header, the numbers.

/**
 * The bytes of a file.
 * @param {[name: string, shape: number[], numbers: Float32Array][]} tensors
 * @param {Record<string, string>} metadata
 */
export function compose(tensors, metadata) {
  /** @type {Record<string, object>} */ const header = { __metadata__: metadata };
  let end = 0;
  for (const [name, shape, numbers] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += numbers.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header)), padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + end).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  let at = 8 + padded;
  for (const [, , numbers] of tensors) {
    file.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), at);
    at += numbers.byteLength;
  }
  return file;
}

/**
 * What such a file holds; throws where it is none.
 * @param {Uint8Array} file
 */
export function parse(file) {
  const length = Number(new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true));
  const { __metadata__: metadata, ...header } = /** @type {Record<string, any>} */ (JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))));
  const tensors = Object.entries(header).map(([name, { dtype, data_offsets: [from, to] }]) => {
    if (dtype !== 'F32' || 8 + length + to > file.length) throw new RangeError(`${name} is not there`);
    return [name, new Float32Array(file.slice(8 + length + from, 8 + length + to).buffer)];
  });
  return { metadata, tensors: Object.fromEntries(tensors) };
}
