// safetensors files: a length, a JSON header, the bytes of all tensors. F32 and I64 are enough here.

const ARRAYS = { F32: Float32Array, I64: BigInt64Array };

/** { name: { shape, data } } of a file's bytes. */
export function readTensors(file) {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
    if (!ARRAYS[dtype]) throw new Error(`${name} is ${dtype}`);
    const bytes = Uint8Array.from(file.subarray(8 + length + from, 8 + length + to));
    return [name, { shape, data: new ARRAYS[dtype](bytes.buffer) }];
  }));
}

/** The file that holds `tensors`: { name: { shape, data: Float32Array } }. */
export function writeTensors(tensors) {
  const header = {}, parts = [];
  let at = 0;
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + data.byteLength] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
