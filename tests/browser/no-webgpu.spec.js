// A Chromium as it comes, where requestAdapter() gives null: the page says so and computes on the processor.
import assert from 'node:assert/strict';
import { classify } from './support/classifier.js';
import { assertFaultless, note, takeGpuCalls, test } from './support/harness.js';
import { button, canvas, control, diffuse, generate, objection, pixels, ready, settings } from './support/page.js';

test.use({ gpu: false });

test('without an adapter a digit is generated all the same, and it is said what is missing and how to turn it on', async ({ open }) => {
  const page = await open();
  await ready(page);
  assert.deepEqual(await page.evaluate(() => [window.pollen.adapter?.device, window.pollen.adapter?.reason]), ['cpu', 'no-adapter']);
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

test('without WebGPU the training panel says what is missing', async ({ open }) => {
  const page = await open();
  await ready(page);
  await page.locator('#t-cost').filter({ hasText: /needs WebGPU/ }).waitFor();
  assert.match(await objection(page, () => button(page, 'Train').click()), /needs WebGPU/);
});
