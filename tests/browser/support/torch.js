// Files as torch.save writes them: a pickle in protocol 2, and each tensor's bytes as a member of a zip that compresses nothing.

import { zip } from './zip.js';

/** @import { Tensor } from './safetensors.js' */

/** @type {Record<string, [string, number]>} */
const STORAGES = { F32: ['FloatStorage', 4], F16: ['HalfStorage', 2], I64: ['LongStorage', 8] };

const word = (/** @type {number} */ n) => { const bytes = Buffer.alloc(4); bytes.writeUInt32LE(n); return bytes; };
const join = (/** @type {(string | Buffer)[]} */ ...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
const text = (/** @type {string} */ value) => join('X', word(Buffer.byteLength(value)), Buffer.from(value));
const number = (/** @type {number} */ value) => join('J', word(value));
const tuple = (/** @type {(string | Buffer)[]} */ ...items) => join('(', ...items, 't');
const global = (/** @type {string} */ module, /** @type {string} */ name) => `c${module}\n${name}\n`;

/** @type {(tensor: Tensor, key: string) => Buffer} */
function tensor({ dtype, shape, bytes }, key) {
  const [name, size] = STORAGES[dtype], strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const storage = join(tuple(text('storage'), global('torch', name), text(key), text('cpu'), number(bytes.length / size)), 'Q');
  const view = [number(0), tuple(...shape.map(number)), tuple(...strides.map(number))];
  return join(global('torch._utils', '_rebuild_tensor_v2'), tuple(storage, ...view, '\x89', global('collections', 'OrderedDict'), ')R'), 'R');
}

/**
 * The file of such tensors, as a dict inside the dicts under `wrappers`, with `extra` as the value of another key.
 * @param {Record<string, Tensor>} tensors
 * @param {{ wrappers?: string[], extra?: string }} [options]
 */
export function torchSave(tensors, { wrappers = [], extra = 'N' } = {}) {
  const entries = Object.entries(tensors);
  let pickle = join('}(', ...entries.flatMap(([name, value], i) => [text(name), tensor(value, String(i))]), 'u');
  for (const wrapper of wrappers.toReversed()) pickle = join('}(', text(wrapper), pickle, text('extra'), extra, 'u');
  return zip({ 'archive/data.pkl': join('\x80\x02', pickle, '.'), ...Object.fromEntries(entries.map(([, { bytes }], i) => [`archive/data/${i}`, Buffer.from(bytes)])) });
}
