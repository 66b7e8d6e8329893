// The section "Speed" on WebGPU in software: peaks, a pass kernel by kernel by timestamps, sampling, training, and the JSON of it.
import assert from 'node:assert/strict';
import { byKernel } from '../../www/worker/times.js';
import { PUBLISHED } from '../../www/sections/speed/published.js';
import { assertFaultless, test } from './support/harness.js';
import { button, done, ready, status } from './support/page.js';
import { assertConsistent, benchmarks, measure, ratio, shown } from './support/speed.js';

const KERNELS = [0, 1].map((place) => ({ kernel: `k${place}`, place, flops: 1 }));

test('the clock of kernels: medians of a fine one, means of a coarse one, nothing of one that cannot be right', () => {
  const fine = byKernel(KERNELS, [0, 1001, 1001, 5003, 0, 1003, 1003, 5001, 0, 1002, 1002, 9999], 1, 'gpu');
  assert.deepEqual([fine.clock, fine.grain, fine.kernels[0].ms, fine.kernels[0].error], ['timestamps', 1, 0.001002, 0]);
  assert.equal(fine.kernels[1].ms, 0.004002);
  assert.equal(fine.span, 0.005003);
  // 30 µs and 100 µs on a clock of 65,536 ns, in 200 passes that begin anywhere.
  const stamps = [];
  for (let pass = 0; pass < 200; pass++) for (const at of [0, 30_000, 30_000, 130_000]) stamps.push(65_536 * Math.floor((at + 7919 * pass) / 65_536));
  const coarse = byKernel(KERNELS, stamps, 100, 'gpu'), [short, long] = coarse.kernels;
  assert.equal(coarse.grain, 65_536);
  for (const [{ ms, error }, exact] of /** @type {const} */ ([[short, 0.03], [long, 0.1]])) {
    assert.ok(error > 0.002 && error < 0.003, `${error}`);
    assert.ok(ms !== null && Math.abs(ms - exact) < 2 * error, `${ms} for ${exact}`);
  }
  // Tenths of a millisecond as a browser's clock on the processor writes them: 12.300000000279397.
  const rounded = byKernel(KERNELS, [12.3, 12.4, 12.4, 12.9, 18, 18, 18.1, 18.5].map((ms) => Math.trunc(1e6 * (ms + 2.8e-10 * (Math.round(10 * ms) % 3 - 1)))), 100, 'cpu');
  assert.equal(rounded.grain, 100_000);
  const unknown = [null, [0, 0, 0, 0], [10, 5, 5, 20], [0, 1e9, 1e9, 2e9]];
  for (const stamps of unknown) {
    const { clock, grain, span, kernels } = byKernel(KERNELS, stamps, 100, 'gpu');
    assert.deepEqual([clock, grain, span, kernels.map(({ ms }) => ms)], [null, null, null, [null, null]], JSON.stringify(stamps));
  }
});

for (const [id, { onnx, pollen }] of Object.entries(PUBLISHED)) {
  test(`what is said of ONNX Runtime stands in docs/benchmarks.md: ${id}`, () => {
    const { text, ms } = benchmarks(id);
    assert.match(text, /onnxruntime-web 1\.30\.0/);
    assert.deepEqual([onnx.cpu, onnx.gpu], [ms['onnxruntime-web, wasm'], ms['onnxruntime-web, WebGPU']]);
    assert.deepEqual([pollen.cpu, pollen.gpu], [ms['Pollen, processor'], ms['Pollen, WebGPU']]);
  });
}

test('a software adapter is measured in under a minute, and called one', async ({ open }) => {
  const page = await open();
  await ready(page);
  const { said, seconds, json } = await measure(page);
  assert.match(said, /^Done: a pass of MNIST digits takes \S+ m?s on .*software GPU, a step of training \S+ m?s\.$/);
  assert.ok(seconds < 120, `${seconds} s`); // of two cores, which others may use too
  const { rows } = await assertConsistent(page, json, 'gpu');
  assert.equal(json.adapter.software, true);
  assert.match(await page.locator('#speed-about').innerText(), /software adapter/);
  assert.match(json.peaks.adapter.architecture, /swiftshader/);
  // SwiftShader has timestamps, and they are no sum of zeros.
  assert.equal(json.kernels.clock, 'timestamps');
  assert.equal(rows[0].length, 5);
  assert.match(await ratio(page, 2 * json.pass.ms), /^Pollen takes 0\.5000 times as long/);
  assert.match(await page.locator('#speed-published').innerText(), /took 3286 ms with ONNX Runtime Web 1\.30\.0 by WebGPU, and 492\.0 ms with Pollen/);

  await page.locator('#speed').screenshot({ path: new URL('../../target/screenshots/speed-gpu.png', import.meta.url).pathname });

  // The open network says the same of each layer.
  await done(page, () => button(page, 'Look inside').click());
  const time = page.locator('#u-time');
  await page.locator('#u-network').getByRole('button', { name: 'conv_in' }).click();
  await page.locator('#u-layer-title', { hasText: /^conv/ }).and(page.locator(':visible')).waitFor();
  assert.match(await time.locator('dd').innerText(), /^\d+(\.\d+)? ms, (\d+|under 1) % of the pass$/);
  // That of a convolution which a later kernel takes in is not its own.
  await page.locator('#u-network').getByRole('button', { name: 'down_blocks.0.resnets.0' }).click();
  await page.getByRole('group', { name: 'The operations of the block' }).getByRole('button').filter({ hasText: 'conv2' }).click();
  await page.getByRole('heading', { name: 'conv2, 3×3' }).waitFor();
  await page.locator('#u-layer-values').getByText(/, which goes on to “/).waitFor();
  assert.ok(!(await time.isVisible()));
  assertFaultless(page);
});

test('Cancel ends it, what was measured stays, and another run can follow', async ({ open }) => {
  const page = await open();
  await ready(page);
  await button(page, 'Measure this device').click();
  await status(page).filter({ hasText: /^Sampling with/ }).waitFor();
  const began = Date.now();
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled after/ }).waitFor();
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  assert.deepEqual(Object.keys(await shown(page)), ['fma', 'copy', 'pass', 'rate']);
  assert.equal(await page.evaluate(() => window.pollen.inspect().then(({ submits_per_step: submits }) => submits)), 1);
  assertFaultless(page);
});
