// The harness itself: WebGPU runs in a Worker of this Chromium, and the calls there are counted.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, destroyDevice, takeGpuCalls, test } from './support/harness.js';
import { alert, ready } from './support/page.js';

const read = (/** @type {string} */ name) => readFileSync(new URL(`support/worker/${name}`, import.meta.url), 'utf8');
const gpuCalls = readFileSync(new URL('support/gpu-calls.js', import.meta.url), 'utf8');

test('WebGPU computes in a Worker, its calls are counted, its device can be taken away', async ({ open }) => {
  const page = await open({
    path: 'worker/index.html',
    serve: {
      '**/worker/index.html': (route) => route.fulfill({ contentType: 'text/html', body: read('index.html') }),
      '**/worker/wasm/pollen.js': (route) => route.fulfill({ contentType: 'text/javascript', body: gpuCalls + read('pollen.js') }),
    },
  });
  const answer = async () => (await page.waitForFunction(() => window.answer)).jsonValue();
  assert.equal(await answer(), 6 * 63);
  const step = { buffers: 0, bindGroups: 0, pipelines: 0, maps: 0, passes: [['add', 'add']] };
  assert.deepEqual(await takeGpuCalls(page), [{ ...step, buffers: 2, bindGroups: 1, pipelines: 1 }, step, step]);
  assert.deepEqual(await takeGpuCalls(page), []);
  await page.evaluate(() => { window.answer = null; });
  await destroyDevice(page);
  assert.equal(await answer(), 'lost: destroyed');
  assertFaultless(page);
});

test('a "GPU" that is a slower program on the processor is left alone, which is said; the address overrules it', async ({ open }) => {
  const chosen = async (/** @type {string} */ path) => {
    const page = await open({ path });
    await ready(page);
    const adapter = await page.evaluate(() => window.pollen.adapter);
    return { page, adapter };
  };
  const { page, adapter } = await chosen('?device=auto');
  assert.deepEqual([adapter?.device, adapter?.reason], ['cpu', 'slower']);
  assert.match(adapter?.detail ?? '', /took \d+ ms for four layers that take Pollen's own code \d+ ms/);
  await page.getByText('slower than Pollen’s own code').first().waitFor();
  assertFaultless(page);

  const asked = await chosen('?device=gpu&way=');
  assert.deepEqual([asked.adapter?.device, asked.adapter?.reason], ['gpu', null]);
  await asked.page.getByText('Example: 16 pictures that MNIST digits drew from 16 noises').first().waitFor();
  await asked.page.waitForTimeout(500);
  assert.equal(await asked.page.getByLabel('Model', { exact: true }).inputValue(), 'mnist'); // Fast is for those without
  const processor = await chosen('?device=cpu');
  assert.deepEqual([processor.adapter?.device, processor.adapter?.reason], ['cpu', 'asked']);
  const wrong = await chosen('?device=tpu');
  assert.match(await alert(wrong.page).innerText(), /“tpu”; there are gpu and cpu/);
});
