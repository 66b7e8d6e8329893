// The harness itself: WebGPU runs in a Worker of this Chromium, and the calls there are counted.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, destroyDevice, takeGpuCalls, test } from './support/harness.js';

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
