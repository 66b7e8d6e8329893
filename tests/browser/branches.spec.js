// Other futures of a run: branches of its film, and of a future.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, objection, pixels, settings } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
const grey = async (/** @type {import('@playwright/test').Locator} */ locator) => (await pixels(locator)).data.filter((_, i) => i % 4 === 0);
const apart = (/** @type {number[]} */ a, /** @type {number[]} */ b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);

test('other futures: the earlier the branch the further apart; what cannot be branched says why', async () => {
  const name = 'Branch from the film’s frame', branch = () => press(name);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 10, Seed: 7, Count: 2 });
  await generate(page);
  // Where the film stands at its end, half-way is taken.
  assert.match(await branch(), /^Done: 4 futures of the run from t = 401 in 5 steps/);
  assert.equal(await control(page, 'Frame').inputValue(), '5');
  await button(page, 'Clear the branches').click();
  await control(page, 'Seed of the fresh noise').fill('1');
  await control(page, 'Frame').fill('9');
  assert.match(await objection(page, () => button(page, name).click()), /one step is left, in which no noise is drawn/);
  for (const [frame, said] of [['7', 'from t = 201 in 3 steps'], ['0', 'from t = 901 in 10 steps']]) {
    await control(page, 'Frame').fill(frame);
    assert.match(await branch(), new RegExp(`^Done: 4 futures of the run ${said}`));
  }
  const rows = page.getByRole('list', { name: 'Branches, from the noise on' }).getByRole('listitem');
  assert.deepEqual(await rows.locator('figcaption').allInnerTexts(), ['From t = 901 of seed 7, fresh noise 2.', 'From t = 201 of seed 7, fresh noise 1.']);
  const spread = async (/** @type {number} */ row) => {
    const [, first, ...others] = await Promise.all((await rows.nth(row).locator('canvas').all()).map(grey));
    assert.equal(others.length, 3);
    return others.reduce((sum, other) => sum + apart(first, other), 0);
  };
  const [early, late] = [await spread(0), await spread(1)];
  assert.ok(early > 2 * late && late > 0, `${early}, ${late}`);
  // They lead from the picture that the film shows.
  const { data } = await pixels(canvas(page, 'The samples x t')), x = await grey(rows.nth(0).locator('canvas').first());
  for (let i = 0; i < 28; i++) assert.equal(x[i], data[4 * i]);
  await button(page, 'Clear the branches').click();
  assert.equal(await rows.count(), 0);
});

test('a future that is pressed is gone through like a film, and branches of its own start from it', async () => {
  await button(page, 'Branch from the film’s frame').click(); // from the noise, with fresh noise 3
  const first = button(page, 'Future 2 of t = 901, fresh noise 3'), slider = control(page, 'Frame of the future');
  await first.waitFor();
  const end = await grey(first.locator('canvas'));
  assert.ok(!await slider.isVisible());
  await first.press('Enter');
  assert.deepEqual([await first.getAttribute('aria-pressed'), await slider.inputValue(), await slider.getAttribute('aria-valuetext')], ['true', '5', 't = 401']);
  const middle = await grey(first.locator('canvas'));
  assert.ok(apart(middle, end) > 5);
  assert.match(await press('Branch from the future'), /^Done: 4 futures of the run from t = 401 in 5 steps of DDPM each/);
  const row = page.getByRole('list', { name: 'Branches, from the noise on' }).getByRole('listitem').nth(1);
  assert.equal(await row.locator('figcaption').innerText(), 'From t = 401 of future 2 of that from t = 901 of seed 7, fresh noise 3, fresh noise 4.');
  assert.deepEqual(await grey(row.locator('canvas').first()), middle);
  // They begin where that future was: what is made of the same state by the API.
  const made = await page.evaluate(async () => {
    const { pollen } = window, asked = { class: 3, guidance: 1, sampler: 'ddpm', variance: /** @type {const} */ ('fixed_small'), count: 4 }, rest = [900, 800, 700, 600, 500, 400, 300, 200, 100, 0];
    const first = (await pollen.randn({ seed: 7, shape: [2, 1, 28, 28] })).slice(0, 784), four = (/** @type {Float32Array} */ one) => Float32Array.from({ length: 4 * 784 }, (_, i) => one[i % 784]);
    const half = await pollen.generate({ ...asked, timesteps: rest, noise: four(first), seed: 3, until: 5 });
    const { sample } = await pollen.generate({ ...asked, timesteps: rest.slice(5), noise: four(half.sample.slice(784, 1568)), seed: 4 });
    return [...sample.slice(0, 784)].map((value) => Math.max(0, Math.min(255, (value + 1) * 127.5)));
  });
  assert.ok(apart(await grey(row.locator('canvas').nth(1)), made) < 1);
  await slider.press('End');
  assert.match(await objection(page, () => button(page, 'Branch from the future').click()), /no step is left/);
  await first.press('Enter');
  assert.ok(!await slider.isVisible());
  assert.deepEqual(await grey(first.locator('canvas')), end);
  await button(page, 'Clear the branches').click();
  assertFaultless(page);
});

test('films of solvers that hold x t ⁄ √ᾱ are branched too: the state is scaled to what the film shows', async () => {
  for (const [Sampler, frame] of /** @type {const} */ ([['Euler', 1], ['Euler ancestral', 2], ['Heun', 2]])) {
    await settings(page, { Class: '3', Sampler, Steps: 4, Seed: 7, Count: 2 });
    await generate(page);
    await control(page, 'Frame').fill(String(frame));
    const state = await page.evaluate(async () => {
      const path = './sections/between/frame.js', { shownFrame, stateOf } = await import(new URL(path, document.baseURI).href);
      return [...await stateOf(shownFrame(), () => {})];
    });
    const { data, width } = await pixels(canvas(page, 'The samples x t'));
    for (let i = 0; i < 784; i++) assert.ok(Math.abs(data[4 * (Math.floor(i / 28) * width + (i % 28))] - Math.max(0, Math.min(255, (state[i] + 1) * 127.5))) <= 1, `${Sampler}, number ${i}`);
  }
  assert.match(await press('Branch from the film’s frame'), /^Done: 4 futures of the run from t = 501 in 3 steps/);
  await button(page, 'Clear the branches').click();
});
