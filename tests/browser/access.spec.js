// What axe-core finds while something runs, after a cancel and beside what every part has made, with whatever can be folded open.
import assert from 'node:assert/strict';
import { violations } from './support/axe.js';
import { assertFaultless, test } from './support/harness.js';
import { button, control, done, ready, settings, status } from './support/page.js';

test.use({ gpu: false });
test.beforeEach(({ }, info) => info.setTimeout(300_000));

for (const [name, context] of /** @type {[string, import('@playwright/test').BrowserContextOptions][]} */ ([
  ['dark, wide', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' }], ['light, 320 px', { viewport: { width: 320, height: 640 } }],
])) {
  test(`axe-core finds nothing wrong while something runs, and in what was made: ${name}`, async ({ open }) => {
    const page = await open({ context }), press = (/** @type {string} */ what) => done(page, () => button(page, what).click());
    await ready(page);
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
    /** What is wrong while a run that `name` begins has got somewhere; it is cancelled then. */
    const during = async (/** @type {string} */ what) => {
      await button(page, what).click();
      await page.getByRole('progressbar', { name: 'Progress of the run' }).waitFor();
      await page.waitForFunction(() => Number(document.getElementById('progress')?.ariaValueNow) > 0);
      const found = await violations(page);
      assert.ok(await button(page, 'Cancel').isEnabled(), `${what} was over before it was looked at`);
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => /** @type {HTMLButtonElement} */ (document.getElementById('cancel')).disabled);
      return found;
    };
    await settings(page, { Model: 'MNIST digits', Steps: 900, Count: 1 });
    assert.deepEqual(await during('Generate'), []);
    assert.match(await status(page).innerText(), /^Cancelled/);
    assert.deepEqual(await violations(page), []);
    await settings(page, { Steps: 2, 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels', 'Pictures a step': 2, 'Training steps': 900, 'Sample every': 4 });
    assert.deepEqual(await during('Train'), []);
    await settings(page, { 'Training steps': 6, 'Sample every': 2 });
    await press('Train');
    await settings(page, { Model: 'MNIST digits' });
    for (const what of ['Fill the table', 'Fill it in', 'Race', 'Draw the paths', 'Sample the ideal denoiser']) await press(what);
    await control(page, 'Timesteps visited').fill('2');
    await press('Measure the bound');
    assert.deepEqual(await violations(page), []);
    assertFaultless(page);
  });
}
