// What happens by itself on a first visit: the network is fetched, and a picture forms; what keeps it from that.
import assert from 'node:assert/strict';
import { figure } from '../../www/ui/numbers.js';
import { address, assertFaultless, test } from './support/harness.js';
import { canvas, ready, status } from './support/page.js';

test.use({ gpu: false });

/** @typedef {import('@playwright/test').Page} Page */

test('a first picture forms by itself once the daisy has dissolved, and is played from the noise on', async ({ open }) => {
  const page = await open({ path: '?device=cpu&way=fast', blank: true }), /** @type {string[]} */ weights = [];
  page.on('request', (request) => { if (request.url().endsWith('.safetensors')) weights.push(request.url()); });
  await page.goto(`${address}?device=cpu&way=fast`);
  await ready(page);
  assert.deepEqual([weights, await page.evaluate(() => window.pollen.model)], [[], null]);
  const shown = page.evaluate(() => new Promise((resolve) => {
    const picture = /** @type {HTMLElement} */ (document.getElementById('hero-reverse')), /** @type {string[]} */ all = [];
    new MutationObserver(() => {
      const label = picture.ariaLabel ?? '', last = all[all.length - 1];
      if (label !== last) all.push(label);
      if (all.some((one) => /Noise\./.test(one)) && /after step 2 of 2/.test(label)) resolve(all);
    }).observe(picture, { attributes: true });
  }));
  await status(page).filter({ hasText: /^Done: 4 pictures, 2 steps of DDIM/ }).waitFor();
  const labels = /** @type {string[]} */ (await shown), noise = labels.findIndex((one) => /Noise\./.test(one));
  assert.deepEqual(labels.slice(noise).map((one) => /Noise|step \d/.exec(one)?.[0]), ['Noise', 'step 1', 'step 2'], labels.join('\n'));
  assert.ok(weights.length >= 1 && weights.every((url) => url.includes('mnist-fast')), weights.join(' '));
  assert.equal(await page.evaluate(() => location.hash), '');
  // The numbers that made both pictures stand below them.
  const formula = (/** @type {string} */ id) => page.evaluate((id) => (/** @type {HTMLElement} */ (document.getElementById(id)).textContent ?? '').replace(/\s+/g, ''), id);
  const [, t, signal, rest] = /^x(\d+)=([\d.]+)x0\+([\d.]+)ε$/.exec(await formula('hero-forward-live')) ?? [], { alphaBar } = await page.evaluate(() => window.pollen.schedule());
  assert.deepEqual([signal, rest], [figure(Math.sqrt(alphaBar[Number(t)])), figure(Math.sqrt(1 - alphaBar[Number(t)]))], t);
  assert.match(await formula('hero-reverse-live'), /^x0=1\.000x.?0$/);
  await canvas(page, /^The samples x t after step 2 of 2: MNIST digits, fast/).waitFor();
  assertFaultless(page);
});

test('nothing is fetched for who saves data or pays for it, wants less motion, has begun something, or drives the engine', async ({ open }) => {
  const connection = (/** @type {object} */ of) => async (/** @type {Page} */ page) => page.addInitScript((of) => Object.defineProperty(Navigator.prototype, 'connection', { get: () => of }), of);
  /** @type {[string, (page: Page) => unknown][]} */
  const visits = [
    ['saves data', connection({ saveData: true, effectiveType: '4g' })],
    ['slow', connection({ saveData: false, effectiveType: '3g' })],
    ['paid for', connection({ saveData: false, effectiveType: '4g', type: 'cellular' })],
    ['calm', (page) => page.emulateMedia({ reducedMotion: 'reduce' })],
    ['has begun', (page) => page.addInitScript(() => addEventListener('load', () => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Tab', bubbles: true }))))],
    ['drives the engine', (page) => page.addInitScript(() => addEventListener('load', () => { window.pollen.loadModel('models/mnist/'); }))],
  ];
  const pages = await Promise.all(visits.map(async ([, prepare]) => {
    const page = await open({ blank: true });
    await prepare(page);
    await page.goto(`${address}?device=cpu&way=fast`);
    await ready(page);
    return page;
  }));
  // The daisy has dissolved, which it does in five seconds, and as much time again has passed.
  await pages[0].waitForTimeout(10_000);
  const models = await Promise.all(pages.map((page) => page.evaluate(() => window.pollen.model?.title ?? null)));
  assert.deepEqual(Object.fromEntries(visits.map(([name], i) => [name, models[i]])), {
    'saves data': null, slow: null, 'paid for': null, calm: null, 'has begun': null, 'drives the engine': 'MNIST digits',
  });
});
