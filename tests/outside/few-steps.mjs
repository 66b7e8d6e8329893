// How long a default digit takes on the processor by Fast and by Best, alternating in one run, from the press of Generate to the
// picture, the model being loaded:
//     POLLEN_URL=http://127.0.0.1:8080/ node tests/outside/few-steps.mjs
import { chromium } from '@playwright/test';
import { button, control, generate, ready, settings } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium' } = process.env;
const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM });
const page = await browser.newPage();
await page.goto(`${POLLEN_URL}?device=cpu&way=best`);
await ready(page);
/** @type {Record<string, number[]>} */ const took = { 'MNIST digits': [], 'MNIST digits, fast': [] };
for (let i = 0; i < 3; i++) {
  for (const [Model, times] of Object.entries(took)) {
    await settings(page, { Model });
    await settings(page, { Class: '3', Count: 1, Seed: 100 + i });
    await generate(page); // brings the model, and does not count
    await control(page, 'Seed').fill(String(i));
    const ended = page.evaluate(() => new Promise((resolve) => {
      document.querySelector('#reverse-form')?.addEventListener('submit', () => {
        const began = performance.now(), status = /** @type {HTMLElement} */ (document.getElementById('status'));
        new MutationObserver(() => { if (status.textContent?.startsWith('Done')) requestAnimationFrame(() => resolve(performance.now() - began)); }).observe(status, { childList: true, characterData: true, subtree: true });
      }, { once: true, capture: true });
    }));
    await button(page, 'Generate').click();
    times.push(/** @type {number} */ (await ended));
  }
}
const mean = (/** @type {number[]} */ times) => times.reduce((a, b) => a + b) / times.length;
for (const [model, times] of Object.entries(took)) console.log(`${model}: ${times.map((ms) => `${(ms / 1000).toFixed(3)} s`).join(', ')}`);
console.log(`Fast takes ${(mean(took['MNIST digits, fast']) / mean(took['MNIST digits'])).toFixed(3)} of Best's time`);
await browser.close();
