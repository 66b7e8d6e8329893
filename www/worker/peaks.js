// What the graphics adapter does at most: multiply-adds a second, and bytes copied a second. Two kernels that do nothing else, on a
// device of their own.

/**
 * @import { Peaks } from '../api/types.js'
 * @import { Call } from './call.js'
 */

const THREADS = 1 << 17, OPERATIONS = 2 * 4 * 8 * 4; // of a thread's turn: multiply and add, of vectors of four, eight of them, four times
const BYTES = 1 << 26; // of what is copied: more than caches hold
const LONG_MS = 40, LIMIT_MS = 1000, TRIES = 5;

// Each vector is multiplied by its neighbour, which changes too: nothing can be worked out in advance, and eight are under way at a time.
const vectors = [...Array(8).keys()];
const FMA = `
struct Numbers { turns: u32, add: f32, x: f32, y: f32 }
@group(0) @binding(0) var<uniform> p: Numbers;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = vec4f(p.add);
  ${vectors.map((i) => `var v${i} = vec4f(p.x, p.y, p.x, p.y) * (f32(id.x % 64u + ${i}u) / 72.0);`).join('\n  ')}
  for (var turn = 0u; turn < p.turns; turn++) {
    ${Array(4).fill(vectors.map((i) => `v${i} = v${i} * v${(i + 1) % 8} + c;`).join(' ')).join('\n    ')}
  }
  result[id.x] = dot(${vectors.map((i) => `v${i}`).join(' + ')}, vec4f(1.0));
}`;
const COPY = `
@group(0) @binding(0) var<storage, read> src: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dst: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < 4u; i++) {
    let at = (group.x * 4u + i) * 64u + lane;
    dst[at] = src[at];
  }
}`;

/**
 * Null where the browser has no adapter.
 * @param {Call} call
 * @returns {Promise<Peaks | null>}
 */
export async function peaks(call) {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) return null;
  const { vendor, architecture, device: model, description } = adapter.info;
  const device = await adapter.requestDevice({ requiredFeatures: adapter.features.has('timestamp-query') ? ['timestamp-query'] : [] });
  try {
    const fma = await multiplyAdds(device, call), copy = await copies(device, call);
    return { flops: fma.best, bytes: copy.best, clock: fma.stamped && copy.stamped ? 'timestamps' : 'wall', adapter: { vendor, architecture, device: model, description } };
  } finally {
    device.destroy();
  }
}

/** @param {GPUDevice} device @param {Call} call */
async function multiplyAdds(device, call) {
  const numbers = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const result = device.createBuffer({ size: 4 * THREADS, usage: GPUBufferUsage.STORAGE });
  const { pipeline, group } = await prepare(device, FMA, [numbers, result]);
  return most(device, call, 1 << 20, (turns) => {
    const values = new DataView(new ArrayBuffer(16));
    values.setUint32(0, turns, true);
    for (const [i, value] of [0.2, 0.25, 0.3].entries()) values.setFloat32(4 * i + 4, value, true); // v → v·v + 0.2 stays below 1
    device.queue.writeBuffer(numbers, 0, values);
    return { amount: THREADS * OPERATIONS * turns, dispatch: (pass) => { pass.setPipeline(pipeline); pass.setBindGroup(0, group); pass.dispatchWorkgroups(THREADS / 64); } };
  });
}

/** @param {GPUDevice} device @param {Call} call */
async function copies(device, call) {
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: BYTES, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }));
  // Memory that nothing was written to may not be there yet, and is faster to read than any other.
  device.queue.writeBuffer(from, 0, new Float32Array(BYTES / 4).fill(0.5));
  const { pipeline, group } = await prepare(device, COPY, [from, to]);
  return most(device, call, 1 << 10, (turns) => ({
    amount: 2 * BYTES * turns, // read and written
    dispatch: (pass) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let turn = 0; turn < turns; turn++) pass.dispatchWorkgroups(BYTES / 16 / 256);
    },
  }));
}

/** @param {GPUDevice} device @param {string} code @param {GPUBuffer[]} buffers */
async function prepare(device, code, buffers) {
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'main' } });
  return { pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) }) };
}

/**
 * The most that was done in a second: ever more turns until they take long enough to be timed, then the best of some tries.
 * @param {GPUDevice} device
 * @param {Call} call
 * @param {number} limit of turns
 * @param {(turns: number) => { amount: number, dispatch: (pass: GPUComputePassEncoder) => void }} work
 */
async function most(device, call, limit, work) {
  const clock = stopwatch(device), began = performance.now();
  /** @type {{ wall: number, stamped: number | null, amount: number }[]} */ const tries = [];
  for (let turns = 1, long = false; tries.length < TRIES && (!tries.length || performance.now() - began < LIMIT_MS);) {
    const { amount, dispatch } = work(turns), took = await clock(dispatch);
    await call.breathe();
    long ||= took.wall >= LONG_MS || turns >= limit || performance.now() - began > LIMIT_MS / 2;
    if (long) tries.push({ ...took, amount }); else turns *= took.wall < LONG_MS / 8 ? 4 : 2;
  }
  // Timestamps that are later than the clock allows, or not there, are not believed.
  const stamped = tries.every((one) => one.stamped !== null && one.stamped > 0 && one.stamped <= 1.02 * one.wall + 0.2);
  return { stamped, best: Math.max(...tries.map((one) => one.amount / ((stamped ? /** @type {number} */ (one.stamped) : one.wall) / 1000))) };
}

/**
 * Runs a pass and gives its milliseconds, by the clock and by timestamps where there are any.
 * @param {GPUDevice} device
 */
function stopwatch(device) {
  const has = device.features.has('timestamp-query'), queries = has ? device.createQuerySet({ type: 'timestamp', count: 2 }) : null;
  const [resolved, staging] = [GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST].map((usage) => device.createBuffer({ size: 16, usage }));
  return async (/** @type {(pass: GPUComputePassEncoder) => void} */ dispatch) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(queries ? { timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } } : {});
    dispatch(pass);
    pass.end();
    if (queries) {
      encoder.resolveQuerySet(queries, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    }
    await device.queue.onSubmittedWorkDone();
    const began = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    const wall = performance.now() - began;
    if (!queries) return { wall, stamped: null };
    await staging.mapAsync(GPUMapMode.READ);
    const [from, to] = new BigInt64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return { wall, stamped: Number(to - from) / 1e6 };
  };
}
