// What needs no device, and so is answered even while a call runs.

import { reader } from './data.js';

/**
 * @import { DecoderOptions, GaussianPair, JumpOptions, ScheduleOptions } from '../api/types.js'
 * @typedef {typeof import('../wasm/pollen.js')} Wasm
 */

/** @type {Record<string, (wasm: Wasm, args: any) => unknown>} */
export const closedForms = {
  schedule: (wasm, /** @type {ScheduleOptions} */ options) => wasm.schedule(options),
  samplers: (wasm) => wasm.samplers(),
  pictureDamage: async (_, /** @type {{ file: Blob }} */ { file }) => (await reader()).pictureDamage(new Uint8Array(await file.arrayBuffer())) ?? null,
  pictureFrames: async (_, /** @type {{ file: Blob }} */ { file }) => (await reader()).pictureFrames(new Uint8Array(await file.arrayBuffer())),
  jump: (wasm, /** @type {JumpOptions} */ { image, shape: [count, channels, height, width], seed = 0, alphaBar }) => wasm.jump(image, count, channels, height, width, seed, alphaBar),
  randn: (wasm, /** @type {{ seed?: number, shape: number[] }} */ { seed = 0, shape }) => wasm.randn(seed, shape.reduce((a, b) => a * b, 1)),
  gaussianKl: (wasm, /** @type {GaussianPair} */ { p, q }) => wasm.gaussianKl(p.mean, p.variance, q.mean, q.variance),
  decoderNats: (wasm, /** @type {DecoderOptions} */ { mean, deviation }) => Float64Array.from({ length: 256 }, (_, byte) => wasm.decoderNats(byte / 127.5 - 1, mean, deviation)),
};
