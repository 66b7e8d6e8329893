// safetensors files: a length, a JSON header, the bytes of all tensors.

/** @typedef {{ dtype: string, shape: number[], bytes: Uint8Array }} Tensor */

/** @type {Record<string, Float32ArrayConstructor | BigInt64ArrayConstructor>} */
const ARRAYS = { F32: Float32Array, I64: BigInt64Array };

/**
 * The tensors of a file by name.
 * @param {Buffer} file
 * @returns {Record<string, Tensor>}
 */
export function parse(file) {
  const length = Number(file.readBigUInt64LE(0));
  /** @type {Record<string, { dtype: string, shape: number[], data_offsets: [number, number] }>} */
  const header = JSON.parse(file.toString('utf8', 8, 8 + length));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) => (
    [name, { dtype, shape, bytes: file.subarray(8 + length + from, 8 + length + to) }])));
}

/**
 * The file of such tensors.
 * @param {Record<string, Tensor>} tensors
 */
export function compose(tensors) {
  /** @type {Record<string, object>} */ const header = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at += bytes.length] };
  }
  const text = Buffer.from(JSON.stringify(header)), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

/**
 * The numbers of a file whose tensors are F32 and I64.
 * @param {Buffer} file
 * @returns {Record<string, { shape: number[], data: any }>} Float32Arrays and BigInt64Arrays
 */
export function readTensors(file) {
  return Object.fromEntries(Object.entries(parse(file)).map(([name, { dtype, shape, bytes }]) => {
    if (!ARRAYS[dtype]) throw new Error(`${name} is ${dtype}`);
    return [name, { shape, data: new ARRAYS[dtype](Uint8Array.from(bytes).buffer) }];
  }));
}

/**
 * The file of F32 tensors.
 * @param {Record<string, { shape: number[], data: Float32Array }>} tensors
 */
export function writeTensors(tensors) {
  return compose(Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => (
    [name, { dtype: 'F32', shape, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }]))));
}
