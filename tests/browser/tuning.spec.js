// Which of the sets of kernels for GPUs is taken, and that all compute the same. SwiftShader stands for a GPU, under another name.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { alert, ready } from './support/page.js';
import { predicted } from './support/small-network.js';

const AS_ANOTHER = `Object.defineProperty(GPUAdapter.prototype, 'info', { get: () => ({ vendor: 'acme', architecture: 'gen-3', device: '', description: '' }) });\n`;

/** Serves the Worker with its adapter under another name. @param {import('@playwright/test').Route} route */
const renamed = async (route) => {
  const answer = await route.fetch();
  await route.fulfill({ response: answer, body: AS_ANOTHER + await answer.text() });
};

const adapter = (/** @type {import('@playwright/test').Page} */ page) => page.evaluate(async () => {
  const { device, name, software, kernels, chosen } = await window.pollen.ready;
  return { device, name, software, kernels, chosen };
});

test('a GPU that is new to the browser is timed once, and keeps its kernels', async ({ open }) => {
  const page = await open({ serve: { '**/worker/worker.js': renamed } });
  const first = await adapter(page);
  assert.deepEqual({ ...first, kernels: null }, { device: 'gpu', name: 'acme gen-3', software: false, kernels: null, chosen: 'timed' });
  assert.ok(['small', 'large', 'huge'].includes(String(first.kernels)));
  await page.reload();
  assert.deepEqual(await adapter(page), { ...first, chosen: 'kept' });
  // What is kept is what is taken, not what would be timed.
  const other = first.kernels === 'small' ? 'large' : 'small';
  await page.evaluate(async (other) => {
    const cache = await caches.open('pollen-tuning'), [key] = await cache.keys();
    await cache.put(key, new Response(other));
  }, other);
  await page.reload();
  assert.deepEqual(await adapter(page), { ...first, kernels: other, chosen: 'kept' });
  assertFaultless(page);
});

test('all sets predict what PyTorch predicts, each in its own way', async ({ open }) => {
  const page = await open({ path: '?device=gpu&kernels=small' });
  await ready(page);
  /** @type {number[][]} */ const answers = [];
  for (const kernels of /** @type {const} */ (['small', 'large', 'huge'])) {
    const now = await page.evaluate((kernels) => window.pollen.restart({ kernels }), kernels);
    assert.deepEqual([now.kernels, now.chosen], [kernels, 'asked']);
    answers.push(await predicted(page));
  }
  assert.notDeepEqual(answers[2], answers[0]); // or they are the same kernels
});

test('a kernel that the browser refuses has a simpler one in its place, which the console says once', async ({ open }) => {
  const page = await open({ path: '?device=gpu&kernels=large' });
  await ready(page);
  /** @type {string[]} */ const said = [];
  page.on('console', (message) => { if (message.type() === 'warning') said.push(message.text()); });
  await page.evaluate(() => window.pollen.setShader('conv2d/tiled', 'fn main( {}'));
  for (let again = 0; again < 2; again++) await predicted(page);
  assert.deepEqual(said.filter((text) => text.includes('simpler kernels')).length, 1, said.join('\n'));
});

test('software adapters have kernels of their own, and a wrong word in the address is said', async ({ open }) => {
  const page = await open({ path: '?device=gpu&kernels=tiny' });
  await ready(page);
  assert.match(await alert(page).innerText(), /“tiny”; there are small, large and huge/);
  const { kernels, chosen } = await adapter(page);
  assert.deepEqual([kernels, chosen], ['software', null]);
});
