// The harness itself: WebGPU runs in a Worker of this Chromium, and the calls there are counted.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertFaultless, destroyDevice, takeGpuCalls, useChromium } from './harness.js';

const read = (name) => readFileSync(new URL(`worker/${name}`, import.meta.url), 'utf8');
const gpuCalls = readFileSync(new URL('gpu-calls.js', import.meta.url), 'utf8');
const open = useChromium();

test('WebGPU computes in a Worker, its calls are counted, its device can be taken away', async (t) => {
  const page = await open(t, {
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
