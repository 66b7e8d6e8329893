// One measurement in the page: every engine's output beside that of Pollen on the processor, then times in turns.
import { countFor, countsOf } from './count.js';
import { model, ort, pollen, tensorflow } from './engines.js';

/** The farthest from Pollen on the processor that an output may lie, in standard deviations of it, to be timed. */
const FARTHEST = 1e-3;
/** Milliseconds that a round of an engine's passes is to take at least. */
const ROUND = 250;

/** @type {Record<string, () => Promise<any>>} */
const makers = {
  'Pollen, processor': () => pollen('cpu'), 'onnxruntime-web, wasm': () => ort('wasm'), 'TensorFlow.js, wasm': () => tensorflow('wasm'),
  'Pollen, WebGPU': () => pollen('gpu'), 'onnxruntime-web, WebGPU': () => ort('webgpu'), 'TensorFlow.js, WebGPU': () => tensorflow('webgpu'),
};
/** @type {Record<string, Promise<any>>} */
const made = {};
const REFERENCE = 'Pollen, processor';

const noise = (/** @type {number} */ length) => {
  let state = 1;
  return Float32Array.from({ length }, () => ((state = (state * 16807) % 2147483647) / 2147483647 - 0.5) * 3.4);
};

/** The largest difference, in standard deviations of `of`. */
const apart = (/** @type {Float32Array} */ of, /** @type {Float32Array} */ other) => {
  if (of.length !== other.length) throw new Error(`${other.length} numbers in place of ${of.length}`);
  let sum = 0, squares = 0, most = 0;
  for (let i = 0; i < of.length; i++) {
    sum += of[i];
    squares += of[i] ** 2;
    most = Math.max(most, Math.abs(of[i] - other[i]));
    if (Number.isNaN(other[i])) throw new Error('an output that is not a number');
  }
  return most / Math.sqrt(squares / of.length - (sum / of.length) ** 2);
};

/** Work of `name`'s, counted as its own, and the milliseconds that it took. */
export const since = async (/** @type {string} */ name, /** @type {() => Promise<any>} */ work) => {
  countFor(name);
  const began = performance.now(), result = await work();
  countFor('none');
  return { result, ms: performance.now() - began };
};

/** What the adapter says of itself; null where there is none. */
export const adapter = async () => {
  const found = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!found) return null;
  const { vendor, architecture, device, description, isFallbackAdapter } = found.info;
  return { vendor, architecture, device, description, software: isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${device} ${description}`) };
};

/**
 * Times `engines` in turns on `name` at `n` pictures of `size`² (0: the model's own). Each has `rounds` of its own; an engine that fails
 * or whose output is wrong is not timed, and its `refused` says why.
 */
export const measure = async (/** @type {{ name: string, n: number, size: number, engines: { name: string, rounds: number }[] }} */ { name, n, size, engines }) => {
  const of = await model(name, size), input = { x: noise(n * of.config.in_channels * of.config.sample_size ** 2), n, size: of.config.sample_size, t: 10, label: 3 };
  const any = n > 1 || size > 0;
  const open = async (/** @type {string} */ engine) => (await (made[engine] ??= makers[engine]())).open(of, any);
  const wanted = (await open(REFERENCE)).run(input);
  const right = await wanted;
  const results = [];
  for (const { name: engine, rounds } of engines) {
    /** @type {any} */ const result = { engine, rounds, times: [], refused: null };
    results.push(result);
    try {
      const { result: session, ms: opening } = await since(engine, () => open(engine));
      const first = await since(engine, () => session.run(input));
      result.apart = apart(right, first.result);
      if (result.apart > FARTHEST) throw new Error(`its output lies ${result.apart.toExponential(1)} standard deviations from that of ${REFERENCE}`);
      const before = { ...countsOf(engine) }, second = await since(engine, () => session.run(input)), after = countsOf(engine);
      Object.assign(result, { session, opening, first: first.ms, passes: Math.max(1, Math.min(20, Math.round(ROUND / second.ms))) });
      if (after.submits) result.counts = { dispatches: after.dispatches - before.dispatches, submits: after.submits - before.submits, bytes: after.peak };
    } catch (error) {
      result.refused = String(error instanceof Error ? error.message : error).split('\n')[0];
    }
  }
  const most = Math.max(...results.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++) {
    for (const result of results) {
      if (result.refused !== null || round >= result.rounds) continue;
      const { ms } = await since(result.engine, async () => { for (let i = 0; i < result.passes; i++) await result.session.run(input); });
      result.times.push(ms / result.passes);
    }
  }
  for (const result of results) {
    await result.session?.close();
    delete result.session;
  }
  return { model: name, batch: n, size: of.config.sample_size, weights: of.weights.length, results };
};
