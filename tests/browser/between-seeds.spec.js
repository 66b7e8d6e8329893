// Between the chains: from seed to seed, among four of them, seeds and guidances side by side.
import assert from 'node:assert/strict';
import { slerp } from '../../www/ui/slerp.js';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, objection, pixels, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
const grey = async (/** @type {import('@playwright/test').Locator} */ locator) => (await pixels(locator)).data.filter((_, i) => i % 4 === 0);
const apart = (/** @type {number[]} */ a, /** @type {number[]} */ b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);

test('from seed to seed, both ends being theirs, along the sphere', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Seed: 7, Count: 1 });
  await control(page, 'The other seed').fill('8');
  assert.match(await press('Walk there'), /^Done: 8 pictures on the way from seed 7 to seed 8/);
  const on = (/** @type {string} */ share) => grey(page.getByRole('img', { name: `${share} of the way from seed 7 to seed 8`, exact: true }));
  for (const [Seed, share] of /** @type {const} */ ([[7, '0 %'], [8, '100 %']])) {
    await settings(page, { Seed });
    await generate(page);
    assert.ok(apart((await grey(canvas(page, 'The samples x t'))), await on(share)) < 0.5, share);
  }
  assert.ok(apart(await on('43 %'), await on('57 %')) < apart(await on('0 %'), await on('100 %')));
  const [a, b] = [Float32Array.of(1, 0, 0, 2), Float32Array.of(0, 3, 0, 0)], length = (/** @type {Float32Array} */ v) => Math.hypot(...v);
  assert.deepEqual([[...slerp(a, b, 0)], [...slerp(a, a, 0.5)]], [[...a], [...a]]);
  const half = slerp(Float32Array.of(1, 0), Float32Array.of(0, 1), 0.5);
  assert.ok(Math.abs(length(half) - 1) < 1e-6 && Math.abs(half[0] - half[1]) < 1e-6);
});

test('among four seeds: the corners are theirs, and the picture of the point is made as it moves, by keys and by the pointer', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Seed: 7, Count: 1 });
  assert.match(await press('Show the four corners'), /^Done: the pictures of the seeds 7 to 10 /);
  const at = async (/** @type {string} */ place) => grey(page.getByRole('img', { name: `The picture at ${place}`, exact: true }));
  const middle = await at('50 % across and 50 % down');
  await control(page, 'Across').press('Home');
  await control(page, 'Down').press('End');
  const third = await grey(canvas(page, 'Corner 3: seed 9'));
  assert.ok(apart(await at('0 % across and 100 % down'), third) < 0.5 && apart(middle, third) > 5);
  const square = page.locator('#b-square'), box = /** @type {{ x: number, y: number, width: number }} */ ((await square.scrollIntoViewIfNeeded(), await square.boundingBox()));
  await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.5 * box.width);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.75 * box.width, box.y + 0.25 * box.width, { steps: 5 });
  await page.mouse.up();
  await at('75 % across and 25 % down');
  assert.match(await page.evaluate(() => location.hash), /square\.across=75&square\.down=25/);
  assertFaultless(page);
});

test('seeds and guidances side by side: each picture is the one that Generate makes, and gives its settings', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Seed: 7, Count: 1 });
  await settings(page, { 'Seeds side by side': 2, 'Guidances, one below the other': '1, 3.5' });
  assert.match(await press('Fill the table'), /^Done: 4 pictures/);
  const table = page.getByRole('region', { name: 'Seeds and guidances side by side' });
  assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), ['Seed 7', 'Seed 8']);
  assert.deepEqual(await table.getByRole('rowheader').allInnerTexts(), ['Guidance 1', 'Guidance 3.5']);
  const one = button(page, 'Take seed 8, guidance 3.5'), made = await grey(one.locator('canvas'));
  await one.press('Enter');
  assert.deepEqual([await control(page, 'Seed').inputValue(), await control(page, 'Guidance').inputValue()], ['8', '3.5']);
  await generate(page);
  assert.deepEqual(await grey(canvas(page, 'The samples x t')), made);
  const refused = () => objection(page, () => button(page, 'Fill the table').click());
  await settings(page, { 'Guidances, one below the other': '1, much' });
  assert.match(await refused(), /^The guidances must be one to 6 numbers from 0 to 20 with commas between them, such as 1, 2, 4\./);
  assert.ok(await table.isVisible());
  // Without a class there is nothing to lead towards: a row of seeds.
  await settings(page, { 'Guidances, one below the other': '1, 2', Class: 'Any' });
  assert.ok(await control(page, 'Guidances, one below the other').isDisabled());
  await page.getByText('Guidance leads towards a class: choose one in part 2.').waitFor();
  assert.match(await press('Fill the table'), /^Done: 2 pictures/);
  assert.deepEqual(await table.getByRole('rowheader').allInnerTexts(), ['No guidance']);
  await button(page, 'Take seed 8').press('Enter');
  assert.equal(await control(page, 'Seed').inputValue(), '8');
  await settings(page, { Class: '3' });
  assert.ok(await control(page, 'Guidances, one below the other').isEnabled());
});

test('what is cancelled leaves what it has made: the walk, the corners, a branch, a picture on its way to its noise', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 24, Seed: 7, Count: 1 });
  await generate(page);
  await control(page, 'Frame').fill('0');
  await settings(page, { Steps: 900, 'Steps each way': 900, 'The other seed': 8 });
  for (const [name, picture] of /** @type {const} */ ([
    ['Walk there', '100 % of the way from seed 7 to seed 8'], ['Show the four corners', 'Corner 2: seed 8'],
    ['Branch from the film’s frame', 'Future 3 of t = 944, fresh noise 1'], ['Find its noise and come back', 'On the way to the noise'],
  ])) {
    await button(page, name).click();
    await canvas(page, new RegExp(`^${picture}, after step \\d+ of (900|24)$`)).waitFor();
    await button(page, 'Cancel').click();
    await status(page).filter({ hasText: /^Cancelled after .* What was made until then, \d+ of (900|24) steps, is kept\.$/ }).waitFor();
    const [, done] = /then, (\d+) of/.exec(await status(page).innerText()) ?? [];
    await canvas(page, new RegExp(`^${picture}, after step ${done} of `)).waitFor();
    assert.equal(await control(page, 'Frame of the future').isVisible(), false);
  }
  assertFaultless(page);
});
