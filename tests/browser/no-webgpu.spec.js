// A Chromium as it comes, where requestAdapter() gives null: the page says so and computes on the processor.
import assert from 'node:assert/strict';
import { classify } from './support/classifier.js';
import { assertFaultless, note, takeGpuCalls, test } from './support/harness.js';
import { canvas, control, diffuse, generate, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });

test('without an adapter a digit is generated all the same, and it is said what is missing and how to turn it on', async ({ open }) => {
  const page = await open();
  await ready(page);
  assert.deepEqual(await page.evaluate(() => [window.pollen.adapter?.device, window.pollen.adapter?.reason]), ['cpu', 'no-adapter']);
  await status(page).filter({ hasText: /^Ready\. The processor does the work: this browser found no graphics adapter\.$/ }).waitFor();
  await page.getByText('requestAdapter() gave null').waitFor();
  await page.getByText('How to turn WebGPU on').click();
  await page.getByText('Unsafe WebGPU Support').waitFor();
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 20, Seed: 0, Count: 1 });
  const began = Date.now();
  assert.match(await generate(page), /^Done.*processor/);
  const seconds = (Date.now() - began) / 1000;
  note(`20 steps on the processor: ${seconds} s`);
  assert.ok(seconds < 60, `${seconds} s`);
  const { data } = await pixels(canvas(page, 'The samples x t'));
  assert.equal(classify(Float32Array.from({ length: 784 }, (_, i) => data[4 * i] / 127.5 - 1)), 3);
  assert.deepEqual(await takeGpuCalls(page), []);
  assertFaultless(page);
});

test('without an adapter the forward chain runs too', async ({ open }) => {
  const page = await open();
  await ready(page);
  await control(page, 'Length T').fill('50');
  assert.match(await diffuse(page), /^Done.*processor/);
});

test('without navigator.gpu the page says that instead', async ({ open }) => {
  const page = await open({
    serve: {
      '**/worker.js': async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `delete WorkerNavigator.prototype.gpu;\n${await response.text()}` });
      },
    },
  });
  await ready(page);
  assert.equal(await page.evaluate(() => window.pollen.adapter?.reason), 'no-webgpu');
  await page.getByText('no WebGPU').first().waitFor();
});

test('without WebGPU a network is trained by the processor, the loss falls', async ({ open }) => {
  const page = await open();
  await ready(page);
  await page.locator('#t-cost').filter({ hasText: /million parameters/ }).waitFor();
  const losses = await page.evaluate(async () => {
    const config = {
      sample_size: 8, in_channels: 1, out_channels: 1, block_out_channels: [8, 16], layers_per_block: 1,
      down_block_types: ['DownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'UpBlock2D'], norm_num_groups: 4, add_attention: false,
    };
    const data = { pixels: Uint8Array.from({ length: 64 }, (_, i) => 4 * i), channels: 1, height: 8, width: 8 };
    const training = await window.pollen.train({ ...data, config, recipe: { batch: 4, rate: 5e-3, seed: 1 } });
    /** @type {number[]} */ const losses = [];
    await training.run({ steps: 200, onReport: ({ loss }) => { losses.push(loss); } });
    return losses;
  });
  const mean = (/** @type {number} */ from, /** @type {number} */ to) => losses.slice(from, to).reduce((a, b) => a + b) / (to - from);
  assert.equal(losses.length, 200);
  assert.ok(mean(0, 20) > 2 * mean(180, 200), `${mean(0, 20)}, then ${mean(180, 200)}`);
  assertFaultless(page);
});
