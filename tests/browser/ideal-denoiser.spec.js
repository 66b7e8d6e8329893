// The ideal denoiser of a few pictures: the example on arrival, the plane of the pictures and the weights, beside a run that goes on.
import assert from 'node:assert/strict';
import { placesOf, principal } from '../../www/sections/ideal/principal.js';
import { assertFaultless, share, test } from './support/harness.js';
import { png } from './support/images.js';
import { button, canvas, control, done, settings, status, stepped } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const dot = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) => Array.from(a, (value, i) => value * b[i]).reduce((sum, one) => sum + one, 0);
const close = (/** @type {number} */ a, /** @type {number} */ b, within = 1e-9) => assert.ok(Math.abs(a - b) < within, `${a}, ${b}`);

test('the plane goes through three pictures, keeps the distance of two, and is the widest of many', () => {
  const far = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) => Math.hypot(...Array.from(a, (value, i) => value - b[i]));
  const pictures = [[1, -0.5, 0.25, 0, 0.75], [-1, 0.5, 0.5, 1, 0], [0.25, 0.125, -1, 0.5, -0.5]];
  for (const count of [2, 3]) {
    const { places, axes } = principal(Float32Array.from(pictures.slice(0, count).flat()), count);
    for (let i = 0; i < count; i++) for (let j = 0; j < i; j++) close(far(places[i], places[j]), far(pictures[i], pictures[j]));
    close(dot(axes[0], axes[1]), 0);
    axes.forEach((axis) => close(dot(axis, axis), 1));
  }
  // Known directions: a cross whose arms are 3, 2 and 1 long.
  const arms = [[3, 0, 0, 0], [0, 0, 2, 0], [0, 1, 0, 0]], plane = principal(Float32Array.from([...arms, ...arms.map((arm) => arm.map((value) => -value))].flat()), 6);
  [[1, 0, 0, 0], [0, 0, 1, 0]].forEach((wanted, k) => close(Math.abs(dot(plane.axes[k], wanted)), 1));
  close(Math.abs(placesOf(plane, [0.6, 0.3, -0.4, 0.2], 0.25)[0][0]), 0.6);
  // What is the same everywhere has no plane, and no NaN.
  assert.deepEqual(principal(new Float32Array(12), 3).places.flat().map(Math.abs), [0, 0, 0, 0, 0, 0]);
});

test('three flowers stand as an example once the section comes near, with their weights by the closed form', async () => {
  assert.equal(await page.locator('#best-frame').isVisible(), false);
  await page.locator('#ideal-denoiser').scrollIntoViewIfNeeded();
  await page.getByText(/^An example: three flowers/).waitFor();
  await canvas(page, '3 pictures in their plane, and 4 paths from noise').waitFor();
  const shown = async () => (await page.locator('#best-weights .out').allInnerTexts()).map(Number);
  assert.deepEqual((await shown()).sort(), [0, 0, 1]);
  assert.equal(await control(page, 'Step shown').inputValue(), '20');
  await control(page, 'Step shown').fill('1');
  const wanted = await page.evaluate(async () => {
    const from = (/** @type {string} */ path) => import(new URL(path, document.baseURI).href);
    const { flowers } = await from('sections/ideal/example.js'), { pixels } = await from('files/picture.js');
    const data = (await flowers()).map((/** @type {HTMLCanvasElement} */ square) => [...pixels(square, 32, 3)]), x = [...await window.pollen.randn({ seed: 0, shape: [4, 3, 32, 32] })].slice(0, 3072);
    const left = (await window.pollen.schedule()).alphaBar[951];
    return data.map((/** @type {number[]} */ own) => data.reduce((/** @type {number} */ sum, /** @type {number[]} */ other) => sum + Math.exp(x.reduce((all, value, k) => all + (value - Math.sqrt(left) * own[k]) ** 2 - (value - Math.sqrt(left) * other[k]) ** 2, 0) / (2 * (1 - left))), 0)).map((/** @type {number} */ sum) => 1 / sum);
  });
  assert.equal(await page.locator('#best-weights-at').innerText(), '951');
  assert.deepEqual(await shown(), wanted.map((/** @type {number} */ one) => Number(one.toFixed(3))));
  assert.ok(Math.max(...wanted) < 0.9, String(wanted));
  const best = wanted.indexOf(Math.max(...wanted));
  assert.match(await page.locator('#best-live').textContent() ?? '', new RegExp(`^x\\^0=${wanted[best].toFixed(3)}y${best + 1}\\+.*at.*t=951$`));
});

test('two pictures of the visitor are sampled beside a run, without holding it up; a single one has no plane, and its weight waits for the guess', async () => {
  await control(page, 'Size, pixels').fill('28');
  const flag = (/** @type {number} */ r, /** @type {number} */ b) => png(32, 32, (x, y) => (x < 16 === y < 16 ? [r, 0, b, 255] : [0, b, r, 255]));
  await control(page, 'Pictures of the data set').setInputFiles([{ name: 'a.png', mimeType: 'image/png', buffer: flag(255, 0) }, { name: 'b.png', mimeType: 'image/png', buffer: flag(0, 255) }]);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 400, Seed: 0, Count: 1 });
  await button(page, 'Generate').click();
  await stepped(page);
  await control(page, 'Sampler of the ideal denoiser').selectOption({ label: 'Heun' });
  await control(page, 'Steps of the ideal denoiser').fill('5');
  await button(page, 'Sample the ideal denoiser').click();
  await page.getByText(/^Done: 4 from the ideal denoiser of 2 pictures, no network, 9 steps/).waitFor();
  const then = Number(await page.getByRole('progressbar').getAttribute('aria-valuenow'));
  assert.ok(then < 100 && await button(page, 'Cancel').isEnabled(), `${then} %`);
  await canvas(page, '2 pictures in their plane, and 4 paths from noise').waitFor();
  assert.equal(await page.getByText(/^An example: three flowers/).isVisible(), false);
  await page.waitForFunction((then) => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) > then, then); // it goes on
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor();
  await control(page, 'Pictures of the data set').setInputFiles([]);
  await done(page, () => button(page, 'Sample the ideal denoiser').click());
  assert.equal(await canvas(page, /in their plane/).isVisible(), false);
  assert.equal(await page.locator('#best-live').isVisible(), false);
  await page.getByRole('radiogroup', { name: /^With a single picture/ }).getByRole('radio').first().click();
  await page.locator('#best-live').waitFor();
  assert.match(await page.locator('#best-live').textContent() ?? '', /^x\^0=1\.000y1at/);
  assertFaultless(page);
});
