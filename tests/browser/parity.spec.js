// What the built WebAssembly predicts and samples in the browser, against PyTorch and diffusers.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from './support/harness.js';
import { ready } from './support/page.js';
import { fill } from './support/recipe.js';
import { readTensors, writeTensors } from './support/safetensors.js';

const ANY = 10; // the label of any digit
const fixture = (/** @type {string} */ path) => readFileSync(new URL(`../fixtures/${path}`, import.meta.url));
const json = (/** @type {string} */ path) => JSON.parse(String(fixture(path)));
const inputs = (/** @type {string} */ folder) => readdirSync(new URL(`../fixtures/${folder}/`, import.meta.url)).filter((name) => name.endsWith('.safetensors'));

/**
 * max |difference| in units of the expected values' standard deviation.
 * @param {ArrayLike<number>} actual
 * @param {Float32Array} expected
 */
function difference(actual, expected) {
  const mean = expected.reduce((a, b) => a + b, 0) / expected.length;
  const std = Math.sqrt(expected.reduce((a, b) => a + (b - mean) ** 2, 0) / expected.length);
  assert.equal(actual.length, expected.length);
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i])), 0) / std;
}

/**
 * @param {import('@playwright/test').Page} page
 * @param {ReturnType<typeof readTensors>} tensors
 */
async function predict(page, { sample, timestep, class_labels: labels }) {
  return page.evaluate(async (/** @type {{ sample: number[], shape: any, timestep: number[], classLabels?: number[] }} */ { sample, ...rest }) => {
    const { prediction } = await window.pollen.predict({ sample: Float32Array.from(sample), ...rest });
    return [...prediction];
  }, { sample: [...sample.data], shape: sample.shape, timestep: Array.from(timestep.data, Number), classLabels: labels && Array.from(labels.data, Number) });
}

/**
 * @param {import('@playwright/test').Page} page
 * @param {string} folder
 */
async function assertPredictions(page, folder) {
  for (const name of inputs(folder)) {
    const tensors = readTensors(fixture(`${folder}/${name}`));
    const error = difference(await predict(page, tensors), tensors.prediction.data);
    assert.ok(error <= 1e-4, `${folder}/${name}: ${error}`);
  }
}

for (const device of /** @type {const} */ (['gpu', 'cpu'])) {
  test(`the shipped model predicts what PyTorch predicts, on the ${device}`, async ({ open }) => {
    const page = await open();
    await ready(page);
    await page.evaluate(async (device) => {
      await window.pollen.restart({ device });
      await window.pollen.loadModel('models/mnist/');
    }, device);
    await assertPredictions(page, 'mnist/f16');
  });

  test(`random U-Nets predict what PyTorch predicts, on the ${device}`, async ({ open }) => {
    const page = await open();
    await ready(page);
    await page.evaluate((device) => window.pollen.restart({ device }), device);
    for (const name of ['20-36', '32-64', '21-35-49']) {
      const { seed, gain, weights_sha256: hash } = json(`unets/${name}/case.json`);
      const config = json(`unets/${name}/config.json`);
      const { tensors, sha256 } = fill(config, seed, gain);
      assert.equal(sha256, hash);
      await page.evaluate(async ([config, weights]) => {
        const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
        await window.pollen.loadModel([new File([config], 'config.json'), new File([bytes], 'diffusion_pytorch_model.safetensors')]);
      }, [fixture(`unets/${name}/config.json`).toString(), writeTensors(tensors).toString('base64')]);
      await assertPredictions(page, `unets/${name}`);
    }
  });
}

test('the shape of ddpm-cifar10-32, 35.7 million weights, predicts what PyTorch predicts on the gpu', async ({ open }, info) => {
  const folder = 'shapes/ddpm-cifar10-32';
  const { seed, gain, weights_sha256: hash } = json(`${folder}/case.json`);
  const { tensors, sha256 } = fill(json(`${folder}/config.json`), seed, gain);
  assert.equal(sha256, hash);
  const paths = /** @type {[string, Buffer][]} */ ([['config.json', fixture(`${folder}/config.json`)], ['diffusion_pytorch_model.safetensors', writeTensors(tensors)]]).map(([name, bytes]) => {
    const path = info.outputPath(name);
    writeFileSync(path, bytes);
    return path;
  });
  const page = await open();
  await ready(page);
  await page.evaluate(async () => {
    await window.pollen.restart({ device: 'gpu' });
    document.body.append(Object.assign(document.createElement('input'), { type: 'file', multiple: true, id: 'weights' }));
  });
  await page.locator('#weights').setInputFiles(paths);
  await page.evaluate(() => window.pollen.loadModel([...(/** @type {HTMLInputElement | null} */ (document.querySelector('#weights'))?.files ?? [])]));
  await assertPredictions(page, folder);
});

// On a software GPU a step takes a second or two, so there it is one picture; natively all are compared.
for (const [device, names] of /** @type {['gpu' | 'cpu', string[]][]} */ ([['gpu', ['ddim-20']], ['cpu', ['ddim-20', 'ddim-20-count-4', 'ddim-20-eta', 'ddpm-50']]])) {
  test(`a seed gives the picture that diffusers gives, on the ${device}`, async ({ open }) => {
    const page = await open();
    await ready(page);
    await page.evaluate(async (device) => {
      await window.pollen.restart({ device });
      await window.pollen.loadModel('models/mnist/');
    }, device);
    const cases = json('pipelines/pipelines.json'), expected = readTensors(fixture('pipelines/pipelines.safetensors'));
    for (const name of names) {
      const { name: _, class: label, ...options } = cases.find((/** @type {{ name: string }} */ one) => one.name === name);
      const sample = await page.evaluate(
        async (options) => [...(await window.pollen.generate(options)).sample],
        { class: label === ANY ? null : label, ...options },
      );
      const /** @type {Float32Array} */ wanted = expected[`${name}.sample`].data;
      const shade = (/** @type {number} */ x) => Math.round((Math.min(1, Math.max(-1, x)) / 2 + 0.5) * 255);
      assert.equal(sample.length, wanted.length, name);
      const worst = wanted.reduce((worst, x, i) => Math.max(worst, Math.abs(shade(x) - shade(sample[i]))), 0);
      assert.ok(worst <= 1, `${name}: ${worst}/255`);
    }
  });
}
