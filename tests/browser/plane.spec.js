// The plane: points, their cloud, and the paths of solvers with the ideal denoiser in the network's place.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, objection, pixels } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const PLANE = /^A plane with/;
const number = async (/** @type {string} */ name) => Number((await page.locator(`#plane-values [data-v="${name}"]`).innerText()).replace(/ × 10⁻(.)/, (_, digit) => `e-${'⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)}`));
const ways = (/** @type {string} */ solver, /** @type {number} */ steps) => done(page, async () => {
  await control(page, 'Sampler in the plane').selectOption({ label: solver });
  await control(page, 'Steps in the plane').fill(String(steps));
  await button(page, 'Draw the paths').click();
});

test('with more steps the paths come nearer to the exact ones, and a better solver is nearer in as few', async () => {
  await canvas(page, 'A plane with 48 points').waitFor();
  assert.match(await ways('DDIM', 4), /^Done: 24 paths of DDIM in 4 steps/);
  const four = await number('exact');
  await ways('DDIM', 8);
  const eight = await number('exact');
  await ways('DDIM', 50);
  const fifty = await number('exact'), points = await number('points');
  assert.ok(four > eight && eight > fifty && fifty < 0.1, `${four}, ${eight}, ${fifty}`);
  assert.ok(points < 0.02, `${points} from the points`);
  await ways('DDIM', 200);
  assert.equal(await number('exact'), 0);
  await ways('DDPM', 200);
  await page.getByText('it has none: each step draws noise').waitFor();
  assert.ok(await number('points') < 0.1);
  await canvas(page, 'A plane with 48 points and 24 paths from noise').waitFor();
});

test('the cloud at t, points of one’s own by pointer and by keyboard, an empty plane', async () => {
  const noisy = async () => { const { data } = await pixels(canvas(page, PLANE)); return data.filter((_, i) => i % 4 === 3 && data[i] > 0).length; };
  await control(page, 'Points').selectOption({ label: 'Four corners' });
  await canvas(page, 'A plane with 4 points').waitFor();
  const before = await noisy();
  await control(page, 'Cloud at t').fill('400');
  await canvas(page, 'A plane with 4 points, the cloud at t = 400').waitFor();
  await page.waitForTimeout(200);
  assert.ok(await noisy() > 2 * before);
  await canvas(page, PLANE).scrollIntoViewIfNeeded();
  await canvas(page, PLANE).click({ position: { x: 200, y: 180 } });
  assert.equal(await control(page, 'Points').inputValue(), 'own');
  await canvas(page, /^A plane with 1 point, the/).waitFor();
  await control(page, 'Across, of a new point').fill('-0.5');
  await button(page, 'Add the point').press('Enter');
  await canvas(page, /^A plane with 2 points, the/).waitFor();
  await ways('DDIM', 20);
  assert.ok(await number('points') < 0.01);
  await control(page, 'Steps in the plane').fill('0');
  assert.match(await objection(page, () => button(page, 'Draw the paths').click()), /number of steps must be/);
  assertFaultless(page);
});
