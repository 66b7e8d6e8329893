// Every solver of the engine's table and its options, through the page and through its API; fields of the scheduler; other sizes.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { canvas, control, generate, pixels, ready, settings } from './support/page.js';

test.use({ gpu: false });
const SAMPLES = 'The samples x t';
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const make = (/** @type {import('../../www/api/types.js').GenerateOptions} */ options) => page.evaluate(async (options) => {
  const { sample, rgba, steps } = await window.pollen.generate(options);
  return { sample: [...sample], rgba: [...rgba], steps };
}, /** @type {typeof options} */ ({ steps: 3, class: 3, seed: 7, ...options }));
const largest = (/** @type {{ sample: number[] }} */ { sample }) => Math.max(...sample.map(Math.abs));

test('every solver can be chosen, has the fields that belong to it, and draws what the API gives for it', async () => {
  /** @type {Record<string, boolean[]>} */ const shown = {};
  const samplers = await page.evaluate(() => window.pollen.samplers());
  for (const select of ['#r-sampler', '#o-sampler', 'select[aria-label="Sampler 1"]']) {
    const offered = await page.locator(select).evaluate((/** @type {HTMLSelectElement} */ { options }) => [...options].map(({ value, text }) => [value, text]).filter(([value]) => value));
    assert.deepEqual(offered, samplers.map(({ name, title }) => [name, title]), select);
  }
  for (const { title, name: sampler, evaluations } of samplers) {
    await settings(page, { Class: '3', Sampler: title, Steps: 2, Seed: 7, Count: 1 });
    // With the solver that the model begins with come the model's own settings.
    const own = sampler === 'dpmpp-2m' ? { guidance: 2, scheduler: { thresholding: true, sample_max_value: 1 } } : {};
    assert.equal(await control(page, 'Guidance').inputValue(), String(own.guidance ?? 1));
    const sentence = await generate(page);
    assert.ok(sentence.includes(`2 steps of ${title} `), sentence);
    const { rgba, steps } = await make({ sampler, steps: 2, ...(sampler === 'ddpm' ? { variance: 'fixed_large' } : {}), ...own });
    assert.equal(steps, evaluations.each + evaluations.last);
    assert.deepEqual((await pixels(canvas(page, SAMPLES))).data, rgba, title);
    assert.ok(await page.locator('[data-solver]:visible').count() > 0, title);
    shown[sampler] = await Promise.all(['#eta-field', '#variance-field', '#clip-field'].map((id) => page.locator(id).isVisible()));
  }
  assert.deepEqual(shown, Object.fromEntries(samplers.map(({ name, options }) => [name, /** @type {const} */ (['eta', 'variance', 'clip']).map((option) => options.includes(option))])));
  const known = {
    ddpm: [1000, false, true, false], ddim: [20, true, false, false], 'dpmpp-2m': [20, false, false, true], unipc: [20, false, false, true],
    euler: [20, false, false, false], 'euler-a': [20, false, false, false], heun: [10, false, false, false],
  };
  for (const [name, expected] of Object.entries(known)) assert.deepEqual([samplers.find((sampler) => sampler.name === name)?.steps, ...shown[name]], expected, name);
  assertFaultless(page);
});

test('x_t of a solver in σ-space is drawn at the variance that the network sees', async () => {
  await settings(page, { Class: '3', Sampler: 'Euler', Steps: 10, Count: 1 });
  await generate(page);
  await control(page, 'Frame').fill('1');
  const { data } = await pixels(canvas(page, SAMPLES));
  const ends = data.filter((value, i) => i % 4 === 0 && (value === 0 || value === 255)).length / (data.length / 4);
  assert.ok(ends > 0.1 && ends < 0.5, `${ends} of the pixels are black or white; of unit noise a third are`);
});

test('guidance, and what is kept within [−1, 1]', async () => {
  await settings(page, { Class: '3', Sampler: 'DPM-Solver++ 2M', Steps: 3, Seed: 7, Count: 1, Guidance: 3 });
  await page.getByRole('checkbox', { name: /within/ }).uncheck();
  const scheduler = { thresholding: true, sample_max_value: 1 };
  const [free, held, unguided] = [await make({ sampler: 'dpmpp-2m', guidance: 3 }), await make({ sampler: 'dpmpp-2m', guidance: 3, scheduler }), await make({ sampler: 'dpmpp-2m' })];
  assert.ok(largest(free) > 1.05 && largest(held) <= 1, `${largest(free)} and ${largest(held)}`);
  assert.notDeepEqual(free.rgba, unguided.rgba);
  await generate(page);
  assert.deepEqual((await pixels(canvas(page, SAMPLES))).data, free.rgba);
  await page.getByRole('checkbox', { name: /within/ }).check();
  await generate(page);
  assert.deepEqual((await pixels(canvas(page, SAMPLES))).data, held.rgba);
  await settings(page, { Class: 'Any' });
  assert.ok(await control(page, 'Guidance').isDisabled());
  await settings(page, { Class: '3' }); // the address, which the next test opens, follows the fields
});

test('a link carries solver, guidance and the rest', async ({ open }) => {
  const hash = new URL(page.url()).hash;
  assert.match(hash, /sampler=dpmpp-2m.*/);
  const other = await open({ path: hash });
  await ready(other);
  await other.waitForFunction(() => ['#r-sampler', '#r-class'].map((id) => /** @type {HTMLSelectElement} */ (document.querySelector(id)).value).join() === 'dpmpp-2m,3');
  assert.equal(await control(other, 'Guidance').inputValue(), '3');
  assert.ok(await other.getByRole('checkbox', { name: /within/ }).isChecked());
  assert.equal(await control(other, 'Steps').inputValue(), '3');
});

test('fields of the scheduler that are wrong are named', async () => {
  const refused = (/** @type {Record<string, unknown>} */ scheduler) => page.evaluate((scheduler) => window.pollen.generate({ sampler: 'unipc', steps: 1, class: 1, scheduler }).then(() => '', ({ name, message }) => `${name}: ${message}`), scheduler);
  assert.match(await refused({ tresholding: true }), /InputError: .*tresholding/);
  assert.match(await refused({ solver_order: 9 }), /InputError: .*solver_order/);
});

test('an option that a solver does not take is refused by name', async () => {
  const refused = (/** @type {import('../../www/api/types.js').GenerateOptions} */ options) => page.evaluate((options) => window.pollen.generate({ steps: 1, class: 1, ...options }).then(() => '', ({ name, message }) => `${name}: ${message}`), options);
  assert.match(await refused({ sampler: 'euler', eta: 1 }), /InputError: only ddim or tcd takes eta, the sampler is euler/);
  assert.match(await refused({ sampler: 'ddim', variance: 'fixed_large' }), /InputError: only ddpm takes a variance, the sampler is ddim/);
});

test('a size that the network does not allow is named', async () => {
  const refused = (/** @type {number} */ h, /** @type {number} */ w) => page.evaluate(([h, w]) => window.pollen.predict({ sample: new Float32Array(h * w), shape: [1, 1, h, w], timestep: 1, classLabels: [1] }).then(() => '', ({ message }) => message), [h, w]);
  assert.match(await refused(30, 28), /multiples of 4.*30×28/);
  assert.equal(await refused(24, 36), '');
});
