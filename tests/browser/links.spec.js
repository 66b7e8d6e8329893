// Links whose settings the page cannot take, that come at the wrong time, or that lead to what a run has left.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { alert, button, canvas, control, done, generate, pixels, ready, status, stepped } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */

const hash = (/** @type {Page} */ page) => page.evaluate(() => location.hash);
const clipboard = async (/** @type {Page} */ page) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await button(page, 'Copy a link to this picture').click();
  await status(page).filter({ hasText: 'The link is on the clipboard.' }).waitFor();
  return { said: await status(page).innerText(), link: await page.evaluate(() => navigator.clipboard.readText()) };
};

test('numbers that a field does not take are named; a visitor’s own stay out of the address', async ({ open }) => {
  const page = await open({ path: '#seed=1.5&steps=abc&guidance=-3&class=3&walk.other=2.5&forward.T=1e9' });
  await ready(page);
  await alert(page).filter({ hasText: 'which this page does not have' }).waitFor();
  for (const [name, value] of [['Seed', '0'], ['The other seed', '1'], ['Length T', '1000']]) assert.equal(await control(page, name).inputValue(), value);
  assert.ok(Number(await control(page, 'Guidance').inputValue()) >= 0);
  for (const [name, wrong] of [['Seed', '1.5'], ['Seed in the plane', '0.5'], ['Length T', '-5']]) {
    await page.evaluate(() => document.querySelectorAll('details.more').forEach((more) => more.setAttribute('open', '')));
    await control(page, name).fill(wrong);
    await control(page, name).blur();
  }
  assert.doesNotMatch(await hash(page), /seed=1\.5|plane\.seed|forward\.T/);
  await button(page, 'Generate').click();
  await alert(page).filter({ hasText: 'The seed must be a whole number' }).waitFor();
  assertFaultless(page);
});

test('a link that comes during a run is not taken up, and the address stays that of the fields', async ({ open }) => {
  const page = await open({ path: '#model=mnist-fast&sampler=ddim&steps=2&count=1&seed=5' });
  await ready(page);
  await status(page).filter({ hasText: /^Done: 1 picture/ }).waitFor(); // and no “Ready” in its place
  await control(page, 'Steps').fill('900');
  await control(page, 'Steps').blur();
  await button(page, 'Generate').click();
  await stepped(page);
  const before = await hash(page);
  await page.evaluate(() => { location.hash = '#seed=7&model=mnist-fast&sampler=ddim&steps=2&count=1'; });
  await alert(page).filter({ hasText: 'A run is going on. Cancel it, or wait for its end, and open the link then.' }).waitFor();
  assert.equal(await hash(page), before);
  assert.equal(await control(page, 'Seed').inputValue(), '5');
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor();
  // What it has left is linked to by its frame.
  const { said, link } = await clipboard(page);
  assert.match(said, /lets the chain run gets this frame\.$/);
  assert.match(link, /steps=900.*film\.frame=\d+$/);
  assertFaultless(page);
});

test('the timestep of the forward chain is where the link says, before the page has taken up its picture and after', async ({ open }) => {
  const page = await open({ path: '#forward.t=441' });
  await ready(page);
  await page.getByText(/^t = 441 of 1000: /).first().waitFor();
  await page.reload();
  await ready(page);
  await page.getByText(/^t = 441 of 1000: /).first().waitFor();
  assert.match(await hash(page), /forward\.t=441/);
  assertFaultless(page);
});

test('three pictures after four: where the fourth was is nothing', async ({ open }) => {
  const page = await open({ path: '#model=mnist-fast&sampler=ddim&steps=2&count=4&class=3' });
  await ready(page);
  await status(page).filter({ hasText: /^Done: 4 pictures/ }).waitFor();
  await control(page, 'Count').fill('3');
  assert.match(await generate(page), /^Done: 3 pictures/);
  for (const name of [/^The samples x t/, /^The network's guess of the finished samples/]) {
    const { width, height, at } = await pixels(canvas(page, name).first());
    assert.equal(at(width - 5, height - 5)[3], 0, String(name));
    assert.equal(at(5, 5)[3], 255);
  }
  assertFaultless(page);
});

test('all lanes of a race in one network have one guidance', async ({ open }) => {
  const page = await open({ path: '#model=mnist-fast&sampler=ddim&steps=2&count=1&class=3' });
  await ready(page);
  await status(page).filter({ hasText: /^Done: / }).waitFor();
  await done(page, () => button(page, 'Race').click());
  const lanes = await page.locator('#race-figures figcaption').allInnerTexts();
  assert.equal(lanes.length, 4);
  for (const lane of lanes) assert.match(lane, /^Best, .* passes with guidance/);
  assertFaultless(page);
});

test('nothing moves on the way through the page, though the network of an example is slow to come', async ({ open }) => {
  const page = await open({ context: { viewport: { width: 1440, height: 900 } }, serve: { '**/flowers64/card.png': async (route) => { await new Promise((resolve) => { setTimeout(resolve, 1500); }); await route.continue(); } } });
  await ready(page);
  await page.evaluate(() => {
    const scope = /** @type {any} */ (globalThis);
    scope.shifted = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!(/** @type {any} */ (entry).hadRecentInput)) scope.shifted += /** @type {any} */ (entry).value; }).observe({ type: 'layout-shift' });
  });
  await page.mouse.move(700, 500);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  for (let y = 0; y < height; y += 800) {
    await page.mouse.wheel(0, 800);
    await page.waitForTimeout(60);
  }
  await page.locator('#best-example').waitFor();
  await page.waitForTimeout(300);
  const shifted = await page.evaluate(() => /** @type {any} */ (globalThis).shifted);
  assert.ok(shifted <= 0.02, `${shifted}`);
  assertFaultless(page);
});
