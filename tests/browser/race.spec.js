// The race of solvers from the same noise.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, listen, objection, pixels, settings, status, stepped } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const race = () => done(page, () => button(page, 'Race').click());
const lane = (/** @type {number} */ place) => canvas(page, new RegExp(`^Lane ${place}`));

/** @param {[solver: string, intervals?: number][]} settings of the lanes */
async function lanes(...settings) {
  for (const [i, [solver, intervals]] of settings.entries()) {
    await control(page, `Sampler ${i + 1}`).selectOption({ label: solver });
    if (intervals !== undefined) await control(page, `Steps of sampler ${i + 1}`).fill(String(intervals));
  }
}

test('before the first race every lane shows the noise that it starts from, whenever it came', async () => {
  for (const place of [1, 2, 3, 4]) {
    await lane(place).waitFor();
    assert.deepEqual((await pixels(lane(place))).data, (await pixels(lane(1))).data);
  }
  await page.locator('#race-figures figcaption', { hasText: 'DDIM, at the start, the noise of seed 0' }).waitFor();
  await settings(page, { Seed: 6 });
  await control(page, 'Seed').press('Tab');
  await page.locator('#race-figures figcaption', { hasText: 'Heun, at the start, the noise of seed 6' }).waitFor();
});

test('four solvers from the same noise, each with its own intervals, drawn and told as they go', async () => {
  // Choosing a solver puts guidance back to 1, from where the model's own solver begins.
  await settings(page, { Sampler: 'DDIM', Class: '3', Seed: 5 });
  await settings(page, { Steps: 1, Count: 1 });
  await generate(page); // with the model there, progress is the race's alone
  await lanes(['DDIM', 3], ['UniPC', 4], ['Heun', 2], ['Euler ancestral', 3]);
  const told = await listen(page);
  assert.match(await race(), /^Done: a race of 4 samplers from the same noise/);
  const { progress } = await told();
  assert.ok(progress.length > 4 && progress.every((value, i) => i === 0 || value >= progress[i - 1]), String(progress));
  await page.getByText('Heun, 3 passes').waitFor();
  const raced = await Promise.all([1, 2, 3, 4].map(async (place) => (await pixels(lane(place))).data));
  for (const [i, title, steps] of /** @type {const} */ ([[0, 'DDIM', 3], [3, 'Euler ancestral', 3]])) {
    await settings(page, { Sampler: title, Steps: steps, Count: 1 });
    await generate(page);
    assert.deepEqual((await pixels(canvas(page, 'The samples x t'))).data, raced[i], title);
  }
  assertFaultless(page);
});

test('afterwards the slider goes back through all of them', async () => {
  const before = (await pixels(lane(1))).data;
  await control(page, 'Progress of each chain').fill('30');
  assert.notDeepEqual((await pixels(lane(1))).data, before);
  await control(page, 'Progress of each chain').fill('100');
  assert.deepEqual((await pixels(lane(1))).data, before);
});

test('what it would cost to measure the lanes is said before; then each is told its distance from the exact path, which settles the question', async () => {
  await page.evaluate(() => {
    const { pollen } = window, generate = pollen.generate.bind(pollen), kept = /** @type {any} */ (window).kept = /** @type {Record<string, Float32Array>} */ ({});
    pollen.generate = async (options = {}) => {
      const made = await generate(options);
      kept[`${options.sampler} ${options.steps}`] = made.sample;
      return made;
    };
  });
  await lanes(['DDIM', 3], ['–'], ['Heun', 2], ['Euler ancestral', 3]);
  await race();
  await page.getByText(/^It costs 100 steps of DPM-Solver\+\+ 2M for the exact path and 2, 5, 10 more for the question: 117 steps, 1 pass each = 117 passes, about .* going by this race\.$/).waitFor();
  const question = page.getByRole('radiogroup', { name: /How few steps does DPM-Solver/ }), verdict = question.locator('+ .verdict');
  await question.getByRole('radio', { name: '5', exact: true }).click();
  assert.match(await verdict.innerText(), /^Kept\. Race, and press/);
  const values = page.locator('#race-values');
  assert.match(await values.innerText(), /Heun\s+h = 1 ⁄ 2 of the way, asks 3 times(\n|$)/);
  assert.match(await done(page, () => button(page, 'Measure how far each is from the exact path').click()), /^Done: how far 2 lanes ended from the exact path/);
  const distances = await page.evaluate(() => {
    const kept = /** @type {Record<string, Float32Array>} */ (/** @type {any} */ (window).kept), drawn = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value)), exact = kept['dpmpp-2m 100'];
    return ['ddim 3', 'heun 2', 'dpmpp-2m 2', 'dpmpp-2m 5', 'dpmpp-2m 10'].map((of) => Math.sqrt(kept[of].reduce((sum, value, i) => sum + (drawn(value) - drawn(exact[i])) ** 2, 0) / 784));
  });
  assert.ok(distances[2] > distances[3] && distances[3] > distances[4] && distances[4] < 0.2, String(distances));
  const told = [...(await values.innerText()).matchAll(/: ([\d.]+) from the exact path/g)].map(([, value]) => Number(value));
  assert.equal(told.length, 2);
  told.forEach((value, i) => assert.ok(Math.abs(value - distances[i]) < 1e-3 * distances[i], `${value} for ${distances[i]}`));
  assert.match(await values.innerText(), /Euler ancestral\s+h = 1 ⁄ 3 of the way, asks 3 times: it draws noise on its way, so that there is no exact path/);
  for (const [i, place] of [1, 3].entries()) await lane(place).locator('xpath=ancestor::figure').getByText(/from the exact path/).filter({ hasText: String(told[i]) }).waitFor();
  const right = [2, 5, 10].find((_, i) => distances[2 + i] <= 0.1) ?? 50;
  assert.equal(await question.locator('.is-right').innerText(), String(right));
  assert.match(await verdict.innerText(), new RegExp(`^${right === 5 ? 'Right' : 'Not so'}\\. DPM-Solver\\+\\+ 2M ends [\\d.]+ away in 2, [\\d.]+ away in 5, [\\d.]+ away in 10 steps`));
  await page.getByRole('slider', { name: 'Distance from the exact path' }).waitFor();
  const order = Math.log(distances[3] / distances[4]) / Math.log(2), said = /DPM-Solver\+\+ 2M like h to the ([\d.−]+) from 5 to 10 steps/.exec(await page.locator('#race-note').innerText());
  assert.ok(Math.abs(Number(said?.[1]) - order) < 1e-3 * order, `${said} for ${order}`);
  await canvas(page, 'The end of the exact path').waitFor();
  assertFaultless(page);
});

test('fewer lanes, none, and one that is out of range', async () => {
  await lanes(['–'], ['DDIM', 0], ['–'], ['–']);
  assert.match(await objection(page, () => button(page, 'Race').click()), /steps of sampler 2 must be a whole number from 1 to/);
  await lanes(['–'], ['DDIM', 2]);
  assert.match(await race(), /^Done: a race of 1 sampler /);
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map((place) => lane(place).isVisible())), [false, true, false, false]);
  await lanes(['–'], ['–']);
  assert.match(await objection(page, () => button(page, 'Race').click()), /at least one sampler/);
});

test('Best and Fast beside each other from one noise, each as it begins; afterwards the chosen model is there', async () => {
  await settings(page, { Seed: 5, Class: '3' });
  await button(page, 'Best beside Fast').click();
  assert.deepEqual(await Promise.all(['Sampler 1', 'Steps of sampler 1', 'Network of sampler 1', 'Sampler 2', 'Steps of sampler 2', 'Network of sampler 2', 'Sampler 3'].map((name) => control(page, name).inputValue())),
    ['dpmpp-2m', '20', 'best', 'ddim', '2', 'fast', '']);
  await lanes(['DPM-Solver++ 2M', 3]);
  assert.match(await race(), /^Done: a race of 2 samplers by two networks from the same noise/);
  await page.getByText('Fast, DDIM, 2 passes').waitFor();
  await page.getByText('Best, DPM-Solver++ 2M, 6 passes with guidance').waitFor();
  assert.equal(await page.evaluate(() => window.pollen.model?.title), 'MNIST digits');
  assert.match(await page.locator('#race-values').innerText(), /Fast, DDIM\s+h = 1 ⁄ 2 of the way, asks 2 times: Fast was taught to leap to the end, and follows no path/);
  const raced = await Promise.all([1, 2].map(async (place) => (await pixels(lane(place))).data));
  for (const [i, Model] of ['MNIST digits', 'MNIST digits, fast'].entries()) {
    await settings(page, { Model });
    await settings(page, { Class: '3', Seed: 5, Count: 1, ...(i ? {} : { Sampler: 'DPM-Solver++ 2M', Steps: 3 }) });
    await generate(page);
    assert.deepEqual((await pixels(canvas(page, 'The samples x t'))).data, raced[i], Model);
  }
  await settings(page, { Model: 'Oxford Flowers' });
  await done(page, () => button(page, 'Best beside Fast').click());
  assert.deepEqual(await Promise.all(['Sampler 1', 'Steps of sampler 1', 'Network of sampler 1', 'Sampler 2', 'Steps of sampler 2', 'Network of sampler 2'].map((name) => control(page, name).inputValue())),
    ['unipc', '25', 'best', 'ddim', '2', 'fast']);
  await settings(page, { Model: 'MNIST digits', 'Network of sampler 1': 'Chosen', 'Network of sampler 2': 'Chosen' });
});

test('a lane that names no network leaves it to Best where Fast is chosen, which follows no path', async () => {
  await settings(page, { Model: 'MNIST digits, fast' });
  await settings(page, { Class: 'Any', Seed: 5 });
  await lanes(['DDIM', 3], ['Euler', 3], ['–'], ['–']);
  assert.deepEqual(await control(page, 'Network of sampler 1').evaluate((/** @type {HTMLSelectElement} */ way) => [...way.options].filter(({ hidden }) => !hidden).map(({ text }) => text)), ['Best', 'Fast']);
  assert.match(await race(), /^Done: a race of 2 samplers from the same noise/);
  await page.getByText('Best, Euler, 3 passes').waitFor();
  const raced = (await pixels(lane(1))).data;
  await settings(page, { Model: 'MNIST digits' });
  await settings(page, { Sampler: 'DDIM', Class: 'Any', Seed: 5, Steps: 3, Count: 1 });
  await generate(page);
  assert.deepEqual((await pixels(canvas(page, 'The samples x t'))).data, raced);
  assertFaultless(page);
});

test('Cancel ends the race, and another can follow', async () => {
  await lanes(['DDPM', 1000], ['DDIM', 2]);
  await button(page, 'Race').click();
  await stepped(page);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: 'ancel' }).waitFor();
  await page.getByText('DDPM, not finished').waitFor();
  await lanes(['DDIM', 1]);
  assert.match(await race(), /^Done/);
});
