// Another model that is chosen while a run goes on: what the run made stays the run's.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { button, control, done, ready, settings, stepped } from './support/page.js';
import { openFiles, smallModel } from './support/small.js';

test.use({ gpu: false });

test('the address follows the fields, the picture goes to the card of its own model', async ({ open }) => {
  const page = await open();
  await ready(page);
  await openFiles(page, smallModel());
  await settings(page, { Model: 'MNIST digits' });
  await settings(page, { Class: 'Any', Sampler: 'DDIM', Steps: 30, Count: 1, Seed: 3 });
  const said = await done(page, async () => {
    await button(page, 'Generate').click();
    await stepped(page);
    await control(page, 'Model').selectOption('opened');
  });
  assert.match(said, /^Done: 1 picture, 30 steps of DDIM/);
  assert.equal(await control(page, 'Model').inputValue(), 'opened');
  const address = new URLSearchParams((await page.evaluate(() => location.hash)).slice(1));
  assert.equal(address.get('model'), 'opened');
  assert.equal(address.get('steps'), await control(page, 'Steps').inputValue());
  assert.equal(await page.locator('#r-cards [data-model=opened] img').count(), 0);
  await page.getByText(/MNIST digits.*seed 3\./).first().waitFor(); // under the picture
  assertFaultless(page);
});
