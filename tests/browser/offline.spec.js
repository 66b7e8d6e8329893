// The page without a connection, after one visit, and as an app.
import assert from 'node:assert/strict';
import { address, assertFaultless, test } from './support/harness.js';
import { button, canvas, control, generate, ready, settings, status } from './support/page.js';

test.use({ gpu: false });

test('after a visit the page works without a connection, with the model that was used, films included', async ({ open }) => {
  const page = await open({ context: { serviceWorkers: 'allow' } });
  await ready(page);
  await page.evaluate(async () => { await navigator.serviceWorker.ready; });
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Count: 1 });
  await generate(page);
  // The frame that asks other servers is a page of its own.
  await page.evaluate(() => new Promise((resolve) => { document.body.append(Object.assign(document.createElement('iframe'), { src: 'fetch.html', onload: resolve })); }));
  const asked = await page.evaluate(async () => {
    const name = (await caches.keys()).find((name) => name !== 'pollen-models') ?? '', kept = await (await caches.open(name)).keys();
    return { name, kept: kept.map(({ url }) => url) };
  });
  assert.match(asked.name, /^pollen-[0-9a-f]{16}$/);
  for (const file of ['', 'main.js', 'wasm/pollen_bg.wasm', 'worker/worker.js', 'worker/files.js', 'vendor/fflate.js', 'deeper/reverse.html', 'ui/terms.js', 'models/index.json', 'models/mnist/diffusion_pytorch_model.safetensors']) assert.ok(asked.kept.includes(address + file), file);
  await page.context().setOffline(true);
  await page.goto('about:blank');
  await page.goto(`${address}?device=cpu`);
  await ready(page);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Count: 1 });
  assert.match(await generate(page), /^Done: 1 picture/);
  await canvas(page, /^The samples x t after step 2 of 2/).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save as GIF').click()]);
  assert.match(download.suggestedFilename(), /\.gif$/);
  await control(page, 'Model').selectOption({ label: 'Oxford Flowers' });
  await page.context().setOffline(false);
});

test('a first picture forms by itself once nothing has to be fetched for it; models that are kept outlive a new page', async ({ browser }) => {
  const storage = await browser.newContext(), page = await storage.newPage(); // where requests are routed none is a cache's
  await page.goto(`${address}?device=cpu`);
  await page.evaluate(async () => { await navigator.serviceWorker.ready; await caches.open('pollen-models'); });
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await control(page, 'Model').locator('option:checked', { hasText: 'MNIST digits, fast' }).waitFor({ state: 'attached' });
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.pollen.model), null, 'nothing of it is there before it is asked for');
  await generate(page);
  /** @type {string[]} */ const weights = [];
  storage.on('request', (request) => { if (request.url().endsWith('.safetensors') && request.serviceWorker()) weights.push(request.url()); });
  await page.goto(`${address}?device=cpu`);
  await status(page).filter({ hasText: /^Done: 4 pictures, 2 steps of DDIM/ }).waitFor();
  await canvas(page, /^The samples x t after step 2 of 2: MNIST digits, fast/).waitFor();
  assert.deepEqual([weights, await page.evaluate(() => location.hash)], [[], '']);
  for (const [context, path] of /** @type {const} */ ([[{ reducedMotion: 'reduce' }, ''], [{}, '#train']])) {
    const calm = await storage.newPage();
    if (context.reducedMotion) await calm.emulateMedia(context);
    await calm.goto(`${address}?device=cpu${path}`);
    await ready(calm);
    await calm.getByText(/^Example: 16 pictures that MNIST digits, fast drew/).first().waitFor();
    await calm.waitForTimeout(300);
    assert.equal(await calm.evaluate(() => window.pollen.model), null, path);
  }
  // A new page's worker clears the files of the old one.
  await page.evaluate(() => caches.open('pollen-0123456789abcdef'));
  await page.evaluate(async () => { await (await navigator.serviceWorker.ready).unregister(); await navigator.serviceWorker.register('sw.js?anew'); });
  await page.waitForFunction(async () => !(await caches.keys()).includes('pollen-0123456789abcdef'));
  assert.ok(await page.evaluate(() => caches.has('pollen-models')));
  await storage.close();
});

test('it can be installed: Chromium has nothing to say against it but that the test’s window is private, and every icon has the size that is said', async ({ open }) => {
  const page = await open();
  const manifest = await page.evaluate(async () => (await fetch(/** @type {HTMLLinkElement} */ (document.querySelector('link[rel=manifest]')).href)).json());
  assert.deepEqual([manifest.name, manifest.start_url, manifest.display], ['Pollen: watch a diffusion model think', './', 'standalone']);
  const session = await page.context().newCDPSession(page), { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId), ['in-incognito']);
  const apple = { src: await page.locator('link[rel="apple-touch-icon"]').getAttribute('href'), sizes: '180x180' };
  for (const { src, sizes } of [apple, ...manifest.icons.filter((/** @type {{ sizes: string }} */ icon) => icon.sizes !== 'any')]) {
    assert.equal(await page.evaluate(async (src) => { const { width, height } = await createImageBitmap(await (await fetch(src)).blob()); return `${width}x${height}`; }, src), sizes, src);
  }
  assertFaultless(page);
});
