// A small U-Net of random weights, with PyTorch's prediction for one picture of 12×20.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fill } from './recipe.js';
import { readTensors, writeTensors } from './safetensors.js';

const fixture = (/** @type {string} */ name) => readFileSync(new URL(`../../fixtures/unets/20-36/${name}`, import.meta.url));
const config = fixture('config.json').toString(), { seed, gain } = JSON.parse(fixture('case.json').toString());
const weights = writeTensors(fill(JSON.parse(config), seed, gain).tensors).toString('base64');
const { sample, timestep, prediction: { data } } = readTensors(fixture('12x20-t500.safetensors'));

/** What the small network predicts, which is what PyTorch predicts. @param {import('@playwright/test').Page} page */
export async function predicted(page) {
  const input = { sample: [...sample.data], shape: /** @type {any} */ (sample.shape), timestep: Array.from(timestep.data, Number) };
  const made = await page.evaluate(async ({ config, weights, sample, ...rest }) => {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
    await window.pollen.loadModel([new File([config], 'config.json'), new File([bytes], 'diffusion_pytorch_model.safetensors')]);
    return [...(await window.pollen.predict({ sample: Float32Array.from(sample), ...rest })).prediction];
  }, { config, weights, ...input });
  const std = Math.sqrt(data.reduce((/** @type {number} */ sum, /** @type {number} */ x) => sum + x * x, 0) / data.length);
  assert.ok(made.every((x, i) => Math.abs(x - data[i]) <= 1e-4 * std));
  return made;
}
