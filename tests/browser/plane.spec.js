// The plane: points, their cloud and score, and the paths of solvers with the ideal denoiser in the network's place.
import assert from 'node:assert/strict';
import { exactPath, sigmaAt } from '../../www/sections/plane/exact.js';
import { arrows } from '../../www/sections/plane/field.js';
import { denoised, scoreAt, weightsAt } from '../../www/sections/plane/score.js';
import { figure } from '../../www/ui/numbers.js';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, objection, settings, status, stepped } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
/** @type {number[]} */ let alphaBar;
share((opened) => { page = opened; });
test.beforeAll(async () => {
  alphaBar = await page.evaluate(async () => [...(await window.pollen.schedule()).alphaBar]);
  await page.locator('#plane').scrollIntoViewIfNeeded();
});
const PLANE = /^A plane with/, REACH = 2.6;
const read = (/** @type {string} */ text) => Number(text.replace('−', '-').replace(/ × 10⁻(.)/, (_, digit) => `e-${'⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)}`));
const number = async (/** @type {string} */ name) => read(await page.locator(`#plane-values [data-v="${name}"]`).innerText());
const ways = (/** @type {string} */ solver, /** @type {number} */ steps) => done(page, async () => {
  await control(page, 'Sampler in the plane').selectOption({ label: solver });
  await control(page, 'Steps in the plane').fill(String(steps));
  await button(page, 'Draw the paths').click();
});
/**
 * The page's own chain.
 * @returns {Promise<{ at: number[], paths: number[][][] }>}
 */
const walked = (/** @type {{ sampler: string, steps: number, count: number }} */ options, /** @type {[number, number][]} */ points) => page.evaluate(async ([options, points, alphaBar]) => {
  const { pathsOf } = await import(new URL('sections/plane/chain.js', document.baseURI).href);
  return pathsOf({ seed: 3, ...options }, points, alphaBar);
}, /** @type {const} */ ([options, points, alphaBar]));
const apart = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

test('weights, prediction and score are those of two points by hand, and those of the engine', async () => {
  // Points at −1 and 1: E[x_0 | x_t] = tanh(√ᾱ·x ⁄ (1 − ᾱ)), and log p is a mixture of two Gaussians.
  const data = [-1, 0, 1, 0];
  for (const left of [0.01, 0.5, 0.99]) {
    for (const [x, y] of [[0.3, 0], [-1.2, 0.4], [2, -2]]) {
      const mean = Math.tanh((Math.sqrt(left) * x) / (1 - left)), log = (/** @type {number} */ at) => Math.log([-1, 1].reduce((sum, point) => sum + Math.exp(-((at - Math.sqrt(left) * point) ** 2) / (2 * (1 - left))), 0));
      const [first, second] = denoised([x, y], data, left), [across, up] = scoreAt([x, y], data, left), h = 1e-5;
      assert.ok(Math.abs(first - mean) < 1e-12 && second === 0, `${first}, ${mean}`);
      assert.ok(Math.abs(weightsAt([x, y], data, left)[1] - (1 + mean) / 2) < 1e-12);
      const slope = left < 0.9 ? (log(x + h) - log(x - h)) / (2 * h) : (Math.sqrt(left) * mean - x) / (1 - left); // far from both the density is 0 in doubles
      assert.ok(Math.abs(across - slope) < 1e-4 * Math.max(1, Math.abs(slope)) && Math.abs(up + y / (1 - left)) < 1e-9, `${across}, ${slope}; ${up}`);
    }
  }
  // A step of the engine's DDIM says what its denoiser answered: x_t′ = √ᾱ′·x̂_0 + √(1 − ᾱ′)·ε̂.
  const points = /** @type {[number, number][]} */ ([[-0.8, 0.1], [0.4, 0.7], [0.3, -0.9]]), { at, paths } = await walked({ sampler: 'ddim', steps: 10, count: 6 }, points);
  for (const path of paths) {
    for (let k = 0; k + 1 < at.length; k++) {
      const [a, b] = [alphaBar[at[k]], alphaBar[at[k + 1]]], mean = denoised(path[k], points.flat(), a);
      const next = path[k].map((x, i) => Math.sqrt(b) * mean[i] + Math.sqrt((1 - b) / (1 - a)) * (x - Math.sqrt(a) * mean[i]));
      assert.ok(apart(next, path[k + 1]) < 2e-5, `t = ${at[k]}: ${next}, ${path[k + 1]}`);
    }
  }
  // Arrows point along the score, none longer than a cell.
  for (const [from, to] of arrows(points, 0.6, REACH)) {
    const [x, y] = scoreAt(from, points.flat(), 0.6), along = (x * (to[0] - from[0]) + y * (to[1] - from[1])) / (Math.hypot(x, y) * apart(from, to));
    assert.ok(Math.abs(along - 1) < 1e-9 && apart(from, to) < (2 * REACH) / 20, `${from}, ${to}`);
  }
});

test('the exact path of a single point is the closed form, and so is that of each solver without noise; those of many points are where a thousand steps lead', async () => {
  const y = /** @type {[number, number]} */ ([0.6, -0.35]), z = [1.3, 0.4], last = alphaBar[1000];
  const straight = (/** @type {number[]} */ epsilon, /** @type {number} */ t) => {
    const sigma = sigmaAt(alphaBar, t), left = 1 / (1 + sigma * sigma);
    return y.map((value, k) => Math.sqrt(left) * value + Math.sqrt(1 - left) * epsilon[k]);
  };
  const epsilonOf = (/** @type {number[]} */ x, /** @type {number} */ left) => x.map((value, k) => (value - Math.sqrt(left) * y[k]) / Math.sqrt(1 - left));
  const times = [1000, 999.5, 700, 333, 90, 2, 1, 0];
  times.map(exactPath(z, y, alphaBar)).forEach((x, i) => assert.ok(apart(x, straight(epsilonOf(z, last), times[i])) < 1e-5, `t = ${times[i]}: ${x}`));
  const solvers = await page.locator('#p-sampler optgroup').evaluateAll((all) => all.map((group) => [/** @type {HTMLOptGroupElement} */ (group).label, [...group.children].map((option) => /** @type {HTMLOptionElement} */ (option).value)]));
  assert.deepEqual(solvers.map(([label]) => label), ['Without fresh noise (ODE)', 'With fresh noise (SDE)']);
  const [[, ode], [, sde]] = /** @type {[string, string[]][]} */ (solvers), known = await page.evaluate(async () => (await window.pollen.samplers()).map(({ name }) => name));
  assert.deepEqual([...ode, ...sde].sort(), [...known].sort());
  assert.ok(['ddim', 'euler', 'heun', 'dpmpp-2m', 'unipc'].every((name) => ode.includes(name)) && ['ddpm', 'euler-a'].every((name) => sde.includes(name)), String(solvers));
  for (const sampler of ode) {
    const { at, paths } = await walked({ sampler, steps: 7, count: 3 }, [y]);
    assert.ok(at.length === 8 && at.every((t, i) => !i || t < at[i - 1]) && at[7] === 0, `${sampler}: ${at}`);
    for (const path of paths) {
      const epsilon = epsilonOf(path[0], 1 / (1 + sigmaAt(alphaBar, at[0]) ** 2));
      path.forEach((x, k) => assert.ok(apart(x, straight(epsilon, at[k])) < 1e-3, `${sampler} at t = ${at[k]}: ${x}, ${straight(epsilon, at[k])}`));
    }
  }
  for (const sampler of sde) {
    const { paths } = await walked({ sampler, steps: 30, count: 8 }, [y]);
    // Of states that are scaled as in the forward chain none is far out; those in σ-space would be at 150.
    assert.ok(paths.flat().every((x) => Math.hypot(...x) < 5) && paths.every((path) => apart(path[30], y) < 0.05), sampler);
  }
  const points = /** @type {[number, number][]} */ ([[-0.8, -0.8], [-0.8, 0.8], [0.8, -0.8], [0.8, 0.8], [0.1, 0]]), { at, paths } = await walked({ sampler: 'heun', steps: 1000, count: 12 }, points);
  for (const path of paths) {
    const own = at.map(exactPath(path[0], points.flat(), alphaBar));
    assert.ok(own.every((x, k) => apart(x, path[k]) < 0.01), `${Math.max(...own.map((x, k) => apart(x, path[k])))}`);
  }
});

test('with more steps the paths come nearer to the exact ones, by whichever solver', async () => {
  await canvas(page, 'A plane with 48 points').waitFor();
  assert.match(await ways('DDIM', 4), /^Done: 24 paths of DDIM in 4 steps/);
  const four = await number('exact');
  await ways('DDIM', 8);
  const eight = await number('exact');
  await ways('DDIM', 50);
  const fifty = await number('exact'), points = await number('points');
  assert.ok(four > eight && eight > fifty && fifty < 0.1, `${four}, ${eight}, ${fifty}`);
  assert.ok(points < 0.02, `${points} from the points`);
  await ways('DDIM', 1000);
  const thousand = await number('exact');
  assert.ok(thousand > 0 && thousand < fifty / 4, `${thousand}`); // it is not held against itself
  await ways('Heun', 50);
  const heun = await number('exact');
  await ways('Heun', 200);
  assert.ok(await number('exact') < heun / 4);
  await ways('DDPM', 200);
  await page.getByText('it has none: each step draws noise').waitFor();
  assert.ok(await number('points') < 0.1);
  await canvas(page, /^A plane with 48 points.* and 24 paths from noise/).waitFor();
});

test('where the paths of a single point leave is told after the guess, by the closed form to the digits shown', async () => {
  await control(page, 'Points').selectOption({ label: 'My own' });
  await control(page, 'Across, of a new point').fill('0.5');
  await control(page, 'Up, of a new point').fill('-0.25');
  await button(page, 'Clear the plane').click();
  await canvas(page, /^A plane with 0 points/).waitFor();
  await button(page, 'Add the point').click();
  await canvas(page, /^A plane with 1 point,/).waitFor();
  await control(page, 'Paths').fill('3');
  await ways('DDIM', 2);
  const chart = page.getByRole('slider', { name: 'Distance of the paths from the exact ones' });
  assert.equal(await chart.isVisible(), false);
  await canvas(page, /3 paths from noise$/).waitFor();
  await page.getByRole('radiogroup', { name: /where do the paths of DDIM leave/ }).getByRole('radio').first().click();
  await chart.waitFor();
  await canvas(page, /3 paths from noise, 3 crossed where they leave the exact one$/).waitFor();
  // Two steps begin at t = 501 with pure noise, which the forward chain has not reached there.
  const noise = await page.evaluate(async () => [...await window.pollen.randn({ seed: 0, shape: [3, 1, 1, 2] })]), y = [0.5, -0.25];
  const epsilon = (/** @type {number} */ i, /** @type {number} */ left) => y.map((value, k) => (noise[2 * i + k] - Math.sqrt(left) * value) / Math.sqrt(1 - left));
  const off = (/** @type {number} */ t) => [0, 1, 2].map((i) => Math.sqrt(1 - alphaBar[t]) * apart(epsilon(i, alphaBar[501]), epsilon(i, alphaBar[1000])));
  const mean = off(501).reduce((sum, one) => sum + one / 3, 0);
  assert.equal(await page.locator('#plane-off [data-v="widest"]').innerText(), `${figure(mean)} at t = 501.0`);
  assert.equal(await page.locator('#plane-off [data-v="most"]').innerText(), figure(Math.max(...off(501))));
  assert.ok(off(501).every((distance) => distance > 0.05));
  assert.equal(await page.locator('#plane-off [data-v="left"]').innerText(), '3 of 3 paths, at t = 501.0 on average');
  await chart.press('Home');
  assert.match(await chart.getAttribute('aria-valuetext') ?? '', /^t = 0: DDIM, 2 steps, mean (0|\d.\d+ × 10⁻[⁷⁸⁹]),/);
  await control(page, 'Paths').fill('24');
  assertFaultless(page);
});

test('the numbers beside the formula are of the place that is typed or pointed at', async () => {
  await control(page, 'Points').selectOption({ label: 'Four corners' });
  await control(page, 'Cloud at t').fill('300');
  await control(page, 'Across, of a new point').fill('0.2');
  await control(page, 'Up, of a new point').fill('-0.1');
  const text = async (/** @type {string} */ id) => (await page.locator(`#plane-live-${id}`).textContent() ?? '');
  await page.waitForFunction(() => document.querySelector('#plane-live-x')?.textContent?.includes('(0.200,−0.100)'));
  const left = alphaBar[300], mean = [0.2, -0.1].map((x) => 0.8 * Math.tanh((0.8 * Math.sqrt(left) * x) / (1 - left))); // the corners are a product
  const three = (/** @type {number} */ value) => value.toFixed(3).replace('-', '−');
  assert.ok((await text('x0')).endsWith(`=(${three(mean[0])},${three(mean[1])})`), await text('x0'));
  const score = mean.map((value, k) => (Math.sqrt(left) * value - [0.2, -0.1][k]) / (1 - left));
  assert.ok((await text('score')).endsWith(`=(${figure(score[0])},${figure(score[1])})`), `${await text('score')}, ${score}`);
  const box = await canvas(page, PLANE).boundingBox();
  assert.ok(box);
  await canvas(page, PLANE).hover({ position: { x: box.width * 0.75, y: box.height * 0.25 } });
  await page.waitForFunction(() => /x=\(1\.[23]\d\d,1\.[23]\d\d\)/.test(document.querySelector('#plane-live-x')?.textContent ?? ''));
  await control(page, 'Cloud at t').fill('0');
  await page.waitForFunction(() => document.querySelector('#plane-live-score')?.textContent === ''); // without noise there is no density
});

test('the cloud at t, points of one’s own by pointer and by keyboard, an empty plane', async () => {
  const noisy = () => canvas(page, PLANE).evaluate((/** @type {HTMLCanvasElement} */ canvas) => canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value > 0).length ?? 0);
  const field = page.getByRole('checkbox', { name: /^The score field/ });
  await field.uncheck();
  await control(page, 'Points').selectOption({ label: 'Four corners' });
  await control(page, 'Cloud at t').fill('0');
  await page.waitForFunction(() => document.querySelector('#plane-canvas')?.getAttribute('aria-label') === 'A plane with 4 points');
  const before = await noisy();
  await control(page, 'Cloud at t').fill('400');
  await canvas(page, 'A plane with 4 points, the cloud at t = 400').waitFor();
  await page.waitForTimeout(200);
  const clouded = await noisy();
  assert.ok(clouded > 2 * before);
  await field.check();
  await canvas(page, 'A plane with 4 points, the cloud at t = 400 and the score field').waitFor();
  assert.ok(await noisy() > 1.2 * clouded);
  // It follows t within a frame or two.
  assert.ok(await page.evaluate(async () => {
    const slider = /** @type {HTMLInputElement} */ (document.querySelector('#plane-t')), name = () => document.querySelector('#plane-canvas')?.getAttribute('aria-label');
    slider.value = '401';
    slider.dispatchEvent(new Event('input'));
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
    return name()?.includes('t = 401');
  }));
  await canvas(page, PLANE).scrollIntoViewIfNeeded();
  // A click keeps what is there; the plane is cleared by a button.
  await canvas(page, PLANE).click({ position: { x: 200, y: 180 } });
  assert.equal(await control(page, 'Points').inputValue(), 'own');
  await canvas(page, /^A plane with 5 points, the/).waitFor();
  await button(page, 'Clear the plane').click();
  await canvas(page, /^A plane with 0 points, the/).waitFor();
  assert.match(await objection(page, () => button(page, 'Draw the paths').click()), /^There are no points in the plane/);
  await canvas(page, PLANE).click({ position: { x: 200, y: 180 } });
  await canvas(page, /^A plane with 1 point, the/).waitFor();
  await control(page, 'Across, of a new point').fill('-0.5');
  await button(page, 'Add the point').press('Enter');
  await canvas(page, /^A plane with 2 points, the/).waitFor();
  await ways('DDIM', 20);
  assert.ok(await number('points') < 0.01);
  // Outside the square of values a click goes to the square's edge, which is drawn.
  await control(page, 'Points').selectOption({ label: 'Four corners' });
  await control(page, 'Cloud at t').fill('0');
  await page.waitForFunction(() => document.querySelector('#plane-canvas')?.getAttribute('aria-label') === 'A plane with 4 points');
  const box = await canvas(page, PLANE).boundingBox();
  assert.ok(box);
  await button(page, 'Clear the plane').click();
  await canvas(page, PLANE).click({ position: { x: box.width * 0.95, y: box.height / 2 } });
  await page.waitForFunction(() => document.querySelector('#plane-canvas')?.getAttribute('aria-label') === 'A plane with 1 point');
  const [drawn, signal] = await canvas(page, PLANE).evaluate((/** @type {HTMLCanvasElement} */ canvas, reach) => {
    const at = canvas.getContext('2d')?.getImageData(Math.round((canvas.width * (1 / reach + 1)) / 2), Math.round(canvas.height / 2), 1, 1).data ?? [];
    return [[...at].slice(0, 3), (/#(..)(..)(..)/.exec(getComputedStyle(canvas).getPropertyValue('--signal')) ?? []).slice(1).map((hex) => parseInt(hex, 16))];
  }, REACH);
  assert.deepEqual(drawn, signal);
  await control(page, 'Steps in the plane').fill('0');
  assert.match(await objection(page, () => button(page, 'Draw the paths').click()), /number of steps must be/);
  assertFaultless(page);
});

test('paths are drawn while a run goes on, which they do not hold up', async () => {
  await control(page, 'Points').selectOption({ label: 'A ring' });
  await control(page, 'Steps in the plane').fill('20');
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 400, Seed: 0, Count: 1 });
  await button(page, 'Generate').click();
  await stepped(page);
  const far = async () => Number(await page.getByRole('progressbar').getAttribute('aria-valuenow')), before = await far(), began = Date.now();
  await button(page, 'Draw the paths').click();
  await canvas(page, /^A plane with 48 points.* and 24 paths from noise/).waitFor();
  await page.getByText(/^Done: 24 paths of .* in 20 steps/).waitFor();
  const took = Date.now() - began, then = await far();
  assert.ok(then < 100 && await button(page, 'Cancel').isEnabled(), `${then} %`);
  assert.ok(!(await status(page).innerText()).startsWith('Done'));
  await page.waitForFunction((then) => Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) > then, then); // it goes on
  console.log(`from ${before} % to ${then} %, ${took} ms`);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor();
  assertFaultless(page);
});
