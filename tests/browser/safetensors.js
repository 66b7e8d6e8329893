// safetensors files: a length, a JSON header, the bytes of all tensors.

const ARRAYS = { F32: Float32Array, I64: BigInt64Array };

/** { name: { dtype, shape, bytes } } of a file. */
export function parse(file) {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) => (
    [name, { dtype, shape, bytes: file.subarray(8 + length + from, 8 + length + to) }])));
}

/** The file of such tensors. */
export function compose(tensors) {
  const header = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at += bytes.length] };
  }
  const text = Buffer.from(JSON.stringify(header)), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

/** { name: { shape, data } } of a file whose tensors are F32 and I64. */
export function readTensors(file) {
  return Object.fromEntries(Object.entries(parse(file)).map(([name, { dtype, shape, bytes }]) => {
    if (!ARRAYS[dtype]) throw new Error(`${name} is ${dtype}`);
    return [name, { shape, data: new ARRAYS[dtype](Uint8Array.from(bytes).buffer) }];
  }));
}

/** The file of `tensors`: { name: { shape, data: Float32Array } }. */
export function writeTensors(tensors) {
  return compose(Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => (
    [name, { dtype: 'F32', shape, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }]))));
}
