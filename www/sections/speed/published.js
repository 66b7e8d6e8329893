// What ONNX Runtime Web took for a pass of the models that come with the page, out of docs/benchmarks.md; a test holds the two together.

/** @typedef {{ cpu: number, gpu: number }} Pair milliseconds a pass: on one thread of the processor, and by WebGPU */

export const ENGINE = 'ONNX Runtime Web 1.30.0', MACHINE = 'two cores of an Intel Xeon whose WebGPU is SwiftShader, a program on those cores';

/** @type {Record<string, { onnx: Pair, pollen: Pair }>} By the id of the model; its Fast variant is a network of the same shape. */
export const PUBLISHED = {
  mnist: { onnx: { cpu: 30.4, gpu: 2339 }, pollen: { cpu: 28.1, gpu: 428 } },
  flowers64: { onnx: { cpu: 95.9, gpu: 7690 }, pollen: { cpu: 105, gpu: 1404 } },
};
