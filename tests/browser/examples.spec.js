// The recorded examples between the chains: labelled, kept back where a question is to be answered first, and made again on the page.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { assertFaultless, test } from './support/harness.js';
import { ready, status } from './support/page.js';

test.use({ gpu: false });

const FILES = readdirSync(new URL('../../www/examples/', import.meta.url)).sort();

test('every part has its example, labelled, and none gives a question’s answer away', async ({ open }) => {
  const page = await open();
  await ready(page);
  const example = (/** @type {string} */ name) => page.locator('figure.example', { has: page.locator(`[data-example="${name}"]`) });
  const names = await page.locator('[data-example]').evaluateAll((all) => all.map((one) => /** @type {HTMLElement} */ (one).dataset.example));
  assert.deepEqual(names.map((name) => `${name}.png`).sort(), FILES);
  for (const name of names) {
    assert.match(await example(String(name)).locator('figcaption').innerText() || await example(String(name)).locator('figcaption').textContent() || '', /^A recorded example: /);
    const guess = page.locator('.part', { has: example(String(name)) }).getByRole('radiogroup');
    if (await guess.count()) {
      assert.ok(!await example(String(name)).isVisible(), `${name} is there before the question is answered`);
      await guess.getByRole('radio').first().click();
    }
    const picture = example(String(name)).getByRole('img');
    await picture.scrollIntoViewIfNeeded();
    await page.waitForFunction((image) => image instanceof HTMLImageElement && image.complete && image.naturalWidth > 0, await picture.elementHandle());
    const [shown, own] = await picture.evaluate((/** @type {HTMLImageElement} */ image) => [image.width / image.height, image.naturalWidth / image.naturalHeight]);
    assert.equal(shown, own, `${name}: its place has the picture’s proportions`);
  }
  assertFaultless(page);
});

test('pressed, an example is made on this machine, the same to the byte, and takes its own place', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [name, region] of [['walk', '#b-walk'], ['grid', '#b-grid'], ['branch', '#b-branches']]) {
    const guess = page.locator('.part', { has: page.locator(region) }).getByRole('radio');
    if (await guess.count()) await guess.first().click();
    await page.locator(`[data-example="${name}"]`).click();
    await status(page).filter({ hasText: `Done: ${name}.png is here again, the same to the byte.` }).waitFor();
    assert.ok(await page.locator(region).isVisible() && !await page.locator(`[data-example="${name}"]`).isVisible());
  }
  assertFaultless(page);
});
