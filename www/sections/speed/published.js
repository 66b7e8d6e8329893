// What ONNX Runtime Web took for a pass of the models that come with the page, out of docs/benchmarks.md; a test holds the two together.

/** @typedef {{ cpu: number, gpu: number }} Pair milliseconds a pass: on one thread of the processor, and by WebGPU */

export const ENGINE = 'ONNX Runtime Web 1.30.0', MACHINE = 'two cores of an Intel Xeon whose WebGPU is SwiftShader, a program on those cores';

/** @type {Record<string, { onnx: Pair, pollen: Pair }>} By the id of the model; its Fast variant is a network of the same shape. */
export const PUBLISHED = {
  mnist: { onnx: { cpu: 50.0, gpu: 3286 }, pollen: { cpu: 35.4, gpu: 492 } },
  flowers64: { onnx: { cpu: 98.8, gpu: 8153 }, pollen: { cpu: 73.6, gpu: 1359 } },
};
