// How fast the page answers while the engine works: the longest task of its thread, and how long a key waits until it is heard and until
// what it changed is drawn, while each kind of run goes on. No task over 50 ms and an answer within 100 ms are wanted.
//     POLLEN_URL=http://127.0.0.1:8080/ [DEVICE=cpu] node tests/outside/answering.mjs
import assert from 'node:assert/strict';
import { chromium } from '@playwright/test';
import { button, control, ready, settings } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium', DEVICE = 'cpu' } = process.env;
const MS = 6000, EVERY_MS = 120;
const gpu = DEVICE === 'gpu' ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'] : [];
const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM, args: gpu });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' })).newPage();
page.setDefaultTimeout(400_000);
await page.goto(`${POLLEN_URL}?device=${DEVICE}&way=best`);
await ready(page);
await page.evaluate(() => {
  const scope = /** @type {any} */ (globalThis);
  scope.tasks = [];
  scope.keys = [];
  new PerformanceObserver((list) => scope.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  addEventListener('keydown', (event) => {
    const sent = event.timeStamp, heard = performance.now();
    requestAnimationFrame(() => setTimeout(() => scope.keys.push([heard - sent, performance.now() - sent])));
  }, true);
  document.querySelectorAll('details.more').forEach((more) => more.setAttribute('open', ''));
});

/** The slider that is moved: a mean of the KL divergence, whose curve, area and numbers follow. */
const slider = page.locator('#kl').getByRole('slider', { name: /^Mean/ }).first();
const cancel = async () => {
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => /** @type {HTMLButtonElement} */ (document.getElementById('cancel')).disabled);
};
/** @type {Record<string, () => Promise<unknown>>} */
const runs = {
  'nothing': async () => {},
  'Diffuse': async () => { await control(page, 'Length T').fill('1000'); await button(page, 'Diffuse').click(); },
  'Generate': async () => { await settings(page, { Steps: 900, Count: 1 }); await button(page, 'Generate').click(); },
  'Train': async () => { await settings(page, { 'Picture size': '16 × 16', 'Training steps': 5000, 'Sample every': 10 }); await button(page, 'Train').click(); },
  'Race': async () => { await settings(page, { Model: 'MNIST digits' }); await button(page, 'Race').click(); },
  'Measure the bound': async () => { await control(page, 'Timesteps visited').fill('500'); await button(page, 'Measure the bound').click(); },
  'Draw the paths': async () => { await button(page, 'Draw the paths').click(); },
};
console.log(`during               longest task   a key is heard after   and drawn after (median, longest of presses)`);
let worst = 0, slowest = 0;
for (const [name, begin] of Object.entries(runs)) {
  await begin();
  if (!['nothing', 'Draw the paths'].includes(name)) await page.waitForFunction(() => Number(document.getElementById('progress')?.ariaValueNow) > 0);
  await slider.focus();
  await page.evaluate(() => { const scope = /** @type {any} */ (globalThis); scope.tasks.length = scope.keys.length = 0; });
  for (let began = performance.now(), i = 0; performance.now() - began < MS; i++) {
    await page.keyboard.press(i % 2 ? 'ArrowLeft' : 'ArrowRight');
    await page.waitForTimeout(EVERY_MS);
  }
  const { tasks, keys } = await page.evaluate(() => { const { tasks, keys } = /** @type {any} */ (globalThis); return { tasks, keys }; });
  if (await button(page, 'Cancel').isEnabled()) await cancel();
  assert.ok(keys.length > 10, `${name}: ${keys.length} keys`);
  const ms = (/** @type {number} */ value) => `${value.toFixed(0)} ms`.padStart(7), sorted = (/** @type {number} */ k) => keys.map((/** @type {number[]} */ key) => key[k]).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
  const [heard, drawn] = [sorted(0), sorted(1)], longest = Math.max(0, ...tasks);
  worst = Math.max(worst, longest);
  slowest = Math.max(slowest, drawn[drawn.length - 1]);
  console.log(`${name.padEnd(20)} ${longest ? ms(longest) : 'below 50 ms'.padStart(7)}   ${ms(heard[heard.length >> 1])} ${ms(heard[heard.length - 1])}   ${ms(drawn[drawn.length >> 1])} ${ms(drawn[drawn.length - 1])}   ${keys.length} presses`);
}
console.log(`longest task: ${worst ? `${worst.toFixed()} ms` : 'below 50 ms'}; slowest answer ${slowest.toFixed()} ms`);
await browser.close();
