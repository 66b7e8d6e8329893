// Counts what an engine asks of WebGPU, the same for all: this stands before any of them is loaded. Bytes are those of buffers made and
// not destroyed; a buffer that the browser collects without `destroy` counts on.

/** @type {Record<string, { dispatches: number, submits: number, bytes: number, peak: number }>} */
const counts = {};
const owners = new WeakMap();
let engine = 'none';

/** Whoever calls WebGPU from now on is `name`. */
export const countFor = (/** @type {string} */ name) => { engine = name; };

/** What `name` has asked for so far. */
export const countsOf = (/** @type {string} */ name) => counts[name] ??= { dispatches: 0, submits: 0, bytes: 0, peak: 0 };

const before = (/** @type {any} */ type, /** @type {string} */ method, /** @type {(self: any, result: any) => void} */ note) => {
  const original = type.prototype[method];
  type.prototype[method] = function (/** @type {any[]} */ ...args) {
    const result = original.apply(this, args);
    note(this, result);
    return result;
  };
};

if (globalThis.GPUQueue) {
  before(GPUQueue, 'submit', () => countsOf(engine).submits++);
  for (const method of ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect']) before(GPUComputePassEncoder, method, () => countsOf(engine).dispatches++);
  before(GPUDevice, 'createBuffer', (_, buffer) => {
    const of = countsOf(engine);
    owners.set(buffer, of);
    of.bytes += buffer.size;
    of.peak = Math.max(of.peak, of.bytes);
  });
  before(GPUBuffer, 'destroy', (buffer) => {
    const of = owners.get(buffer);
    if (of) of.bytes -= buffer.size;
    owners.delete(buffer);
  });
}
