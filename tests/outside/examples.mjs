// Writes the examples of the section "Between" anew, www/examples/*.png: what the page itself saves, with the settings in them, on the
// processor. To be run where a model that ships or what a part makes has changed:
//     POLLEN_URL=http://127.0.0.1:8080/ node tests/outside/examples.mjs
import { mkdirSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { button, control, done, generate, ready, settings } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium' } = process.env;
const folder = new URL('../../www/examples/', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: 'block' })).newPage();
page.setDefaultTimeout(180_000);
await page.goto(`${POLLEN_URL}?device=cpu&way=best`);
await ready(page);
await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));

const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
/** @type {Record<string, [form: string, make: () => Promise<unknown>]>} */
const examples = {
  between: ['between', async () => { await settings(page, { Class: 'Any', Seed: 3, Sampler: 'DDIM', Steps: 50, Count: 4 }); await control(page, 'Strength').fill('65'); await press('Finish it'); }],
  fill: ['fill', async () => { await settings(page, { Class: '7', Count: 1, 'Seed of the filling': 1 }); await press('Fill it in'); }],
  inversion: ['inversion', async () => { await settings(page, { Class: '7', 'Steps each way': 50 }); await press('Find its noise and come back'); }],
  walk: ['walk', async () => { await settings(page, { Class: 'Any', Seed: 3, Steps: 20, 'The other seed': 8 }); await press('Walk there'); }],
  square: ['square', async () => { await settings(page, { Seed: 11 }); await press('Show the four corners'); }],
  grid: ['grid', async () => { await settings(page, { Class: '3', Seed: 0, 'Seeds side by side': 6, 'Guidances, one below the other': '1, 2, 4' }); await press('Fill the table'); }],
  branch: ['branch', async () => {
    await settings(page, { Class: 'Any', Seed: 5, Steps: 20, Count: 1 });
    await generate(page);
    await control(page, 'Frame').fill('8');
    await press('Branch from the film’s frame');
  }],
};
for (const [name, [form, make]] of Object.entries(examples)) {
  await make();
  const part = page.locator('.part', { has: page.locator(`#${form}-form`) });
  const [download] = await Promise.all([page.waitForEvent('download'), part.getByRole('button', { name: /^Save as PNG/ }).first().click()]);
  await download.saveAs(`${folder}${name}.png`);
  console.log(name, download.suggestedFilename());
}
await browser.close();
