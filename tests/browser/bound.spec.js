// The bound of the visitor's picture, and the ideal denoiser beside the network.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, share, test } from './support/harness.js';
import { figure } from '../../www/ui/numbers.js';
import { png } from './support/images.js';
import { button, canvas, control, done, listen, pixels, status, stepped, upload } from './support/page.js';

const LONG_MS = 400_000;
test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

// What `pollen likelihood` prints natively for the same picture, seed and timesteps: t, nats, weight.
const NATIVE = [
  [875, 0.00278604659074785, 488], [367, 1.1391369471646846, 296], [160, 6.598114892806804, 152],
  [54, 30.33157854660553, 56], [3, 531.0442885552286, 7], [1, 2105.511315579152, 1],
];

test('the terms are those of the command line, and add up', async () => {
  const { result, heard, prior, image } = await page.evaluate(async () => {
    await window.pollen.loadModel('models/mnist/');
    const image = Float32Array.from({ length: 784 }, (_, i) => ((i * i * 7 + Math.floor(i / 28) * 31) % 256) / 127.5 - 1);
    /** @type {unknown[]} */ const heard = [];
    const result = await window.pollen.likelihood({ image, timesteps: 6, seed: 4, onTerm: (term) => { heard.push(term); } });
    const { alphaBar } = await window.pollen.schedule();
    const left = alphaBar[1000];
    const prior = image.reduce((sum, x) => sum + 0.5 * (left * x * x - left - Math.log1p(-left)), 0);
    return { result, heard, prior, image: image.length };
  });
  assert.deepEqual(heard, result.terms);
  const [first, ...terms] = result.terms;
  assert.equal(first.t, 1001);
  assert.ok(Math.abs(first.nats / prior - 1) < 1e-6, `${first.nats}, ${prior}`);
  assert.deepEqual(terms.map(({ t, weight }) => [t, weight]), NATIVE.map(([t, , weight]) => [t, weight]));
  terms.forEach(({ nats, bitsPerDim }, i) => {
    assert.ok(Math.abs(nats / NATIVE[i][1] - 1) < 2e-4, `${nats}, natively ${NATIVE[i][1]}`);
    assert.ok(Math.abs(bitsPerDim * image * Math.LN2 / nats - 1) < 1e-12);
  });
  const sum = result.terms.reduce((sum, { nats, weight }) => sum + nats * weight, 0);
  assert.ok(Math.abs(sum / result.nats - 1) < 1e-12);
  assert.equal(result.estimate, true);
  assertFaultless(page);
});

test('before anything is measured a digit of the model’s own is there, and after a guess the bound that was recorded of it', async ({ open }) => {
  const recorded = JSON.parse(readFileSync(new URL('../../www/sections/bound/example.json', import.meta.url), 'utf8'));
  const other = await open();
  await other.waitForFunction(() => document.documentElement.dataset.started);
  await other.getByRole('heading', { name: /^The variational bound/ }).scrollIntoViewIfNeeded();
  const digit = canvas(other, 'The picture to measure: the first sample of MNIST digits');
  await digit.waitFor();
  assert.ok(new Set((await pixels(digit)).data).size > 20);
  const chart = other.getByRole('slider', { name: 'Bits per dimension by timestep' });
  assert.equal(await chart.isVisible(), false); // it would give the answer away
  await other.getByRole('radiogroup', { name: /^Which timesteps cost most/ }).getByRole('radio', { name: 'The last ones' }).click();
  await other.getByText(/a recorded example: the first sample of MNIST digits, seed 0 of the bound/).waitFor();
  await other.getByText(/^Right\. The last tenth of the timesteps, t = 100 to 1, cost [\d.]+ bits\/dim in the recorded example/).waitFor();
  // It is what the engine makes of that picture.
  const { terms, worst } = await other.evaluate(async () => {
    const load = (/** @type {string} */ path) => import(new URL(path, location.href).href), { subject } = await load('sections/bound/subject.js'), { asNetwork } = await load('files/picture.js'), { worstOf } = await load('sections/bound/live.js');
    const model = await window.pollen.loadModel('models/mnist/'), image = asNetwork((await subject()).square, model);
    /** @type {Map<number, Float64Array>} */ const values = new Map();
    const { terms } = await window.pollen.likelihood({ image, timesteps: 50, seed: 0, values: true, onTerm: (term) => { if (term.values) values.set(term.t, term.values); } });
    return { terms, worst: worstOf({ image, values }, 1) };
  });
  assert.equal(terms.length, recorded.terms.length);
  for (const [i, [t, nats, weight]] of recorded.terms.entries()) {
    assert.deepEqual([terms[i].t, terms[i].weight], [t, weight]);
    assert.ok(Math.abs(terms[i].nats - nats) <= 2e-3 * nats + 1e-5, `t = ${t}: ${terms[i].nats}, recorded ${nats}`);
  }
  const last = recorded.terms.at(-1);
  assert.equal(worst.index, last[3]);
  for (const [i, value] of [worst.q.mean, worst.q.variance, worst.p.mean, worst.p.variance, worst.nats].entries()) assert.ok(Math.abs(value - last[4 + i]) <= 1e-3 * Math.abs(value), `${value}, ${last[4 + i]}`);
  // The formula has its sum, and the term under the cursor its Gaussians.
  const bits = (/** @type {(t: number) => boolean} */ of) => recorded.terms.reduce((/** @type {number} */ sum, /** @type {number[]} */ [t, nats, weight]) => sum + (of(t) ? weight * nats / (784 * Math.LN2) : 0), 0);
  const shown = (/** @type {string} */ id) => other.locator(id).evaluate((math) => [...math.querySelectorAll('mn')].map((one) => one.textContent));
  assert.deepEqual((await shown('#bound-live')).slice(2), [bits((t) => t > 1000), bits((t) => t > 1 && t <= 1000), bits((t) => t === 1), bits(() => true)].map(figure));
  const [t, nats, , index, qMean, qVariance, pMean, pVariance, most] = recorded.terms.find((/** @type {number[]} */ [t]) => t > 1 && t < 60);
  await other.getByText('Table: Bits per dimension by timestep').click();
  for (await chart.press('Home'); await chart.getAttribute('aria-valuenow') !== String(t);) await chart.press('ArrowRight');
  await other.getByText(new RegExp(`^The term under the chart’s cursor, at t = ${t}: .* in column ${index % 28}, row ${Math.floor(index / 28)}:$`)).waitFor();
  assert.deepEqual(await shown('#bound-term-live'), [String(t - 1), figure(nats / (784 * Math.LN2)), figure(qMean), figure(Math.sqrt(qVariance)), '2', figure(pMean), figure(Math.sqrt(pVariance)), '2', figure(most)]);
  const [q, p] = [[qMean, qVariance], [pMean, pVariance]], closed = 0.5 * (Math.log(p[1] / q[1]) + (q[1] + (q[0] - p[0]) ** 2) / p[1] - 1);
  assert.ok(Math.abs(closed - most) <= 1e-2 * most + 1e-6, `${closed} in closed form, ${most}`);
  assertFaultless(other);
});

test('the panel measures the bound, draws it, and can be cancelled', async () => {
  await control(page, 'Picture measured').selectOption({ label: 'The picture of part 1' });
  await control(page, 'Timesteps visited').fill('6');
  const told = await listen(page);
  const sentence = await done(page, () => button(page, 'Measure the bound').press('Enter'), LONG_MS);
  assert.match(sentence, /^Done: .* bits\/dim at most for the daisy, an unbiased estimate from 6 of 1000 timesteps/);
  const all = (await told()).progress, progress = all.slice(all.lastIndexOf(0)); // fetching and preparing the model came before
  assert.ok(progress.length > 3 && progress.every((value, i) => i === 0 || value >= progress[i - 1]), String(progress));
  const values = await page.locator('#bound-values dd').allInnerTexts();
  assert.ok(values.length === 4 && values.every((text) => /bits\/dim, .* nats$/.test(text)), String(values));
  const chart = page.getByRole('slider', { name: 'Bits per dimension by timestep' });
  /** @returns {Promise<[number, string]>} */
  const read = async (/** @type {string} */ key) => {
    await chart.press(key);
    const [, t, bits] = /^t = (\d+): ([\d.]+(?: × 10⁻.)?) bits\/dim$/.exec(await chart.getAttribute('aria-valuetext') ?? '') ?? [];
    return [Number(t), bits];
  };
  const [[first, most], [second], [last, least]] = [await read('Home'), await read('ArrowRight'), await read('End')];
  assert.ok(first === 1 && second > 1 && last > 500, `${first}, ${second}, ${last}`);
  assert.ok(parseFloat(most) > 1 && (parseFloat(least) < 0.1 || least.includes('×')), `${most}, ${least}`);
  await page.getByText('Table: Bits per dimension by timestep').click();
  const table = page.getByRole('table', { name: /bits\/dim/ });
  assert.equal(await table.getByRole('row').count(), 1 + 6);
  assert.equal(await table.getByRole('row').nth(1).innerText(), `1\t${most} bits/dim`);
  const points = await page.locator('#bound-chart circle').evaluateAll((all) => /** @type {SVGCircleElement[]} */ (all).map((point) => [point.cx.baseVal.value, point.cy.baseVal.value]));
  assert.equal(points.length, 6);
  assert.ok(points.every(([x, y], i) => i === 0 || (x > points[i - 1][0] && y > points[i - 1][1])), `falling from left to right: ${points}`);

  await control(page, 'Timesteps visited').fill('1000');
  await button(page, 'Measure the bound').click();
  await stepped(page);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor();
  assertFaultless(page);
});

test('the ideal denoiser finds the only picture, and the network is measured against it', async () => {
  const RED = [255, 0, 0, 255], BLUE = [0, 0, 255, 255];
  await control(page, 'Size, pixels').fill('28');
  await upload(page, 'flag.png', png(56, 56, (x, y) => (x < 28 === y < 28 ? RED : BLUE)));
  await canvas(page, /before any noise.*flag.png/).waitFor();
  const wanted = (await pixels(canvas(page, /before any noise/))).data;
  await control(page, 'Samples').fill('1');
  for (const [sampler, steps] of /** @type {const} */ ([['DDIM', 20], ['DDPM', 100]])) {
    await control(page, 'Sampler of the ideal denoiser').selectOption({ label: sampler });
    await control(page, 'Steps of the ideal denoiser').fill(String(steps));
    const sentence = await done(page, () => button(page, 'Sample the ideal denoiser').click());
    assert.match(sentence, new RegExp(`^Done: 1 from the ideal denoiser of flag.png, no network, ${steps} steps`));
    const { width, data } = await pixels(canvas(page, "The ideal denoiser's samples x t"));
    assert.equal(width, 28);
    const off = data.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]), 0) / data.length;
    assert.ok(off < 2, `${sampler}: ${off} of 255 from the picture`);
    // At the first step the sample is noise, and the prediction is the picture already.
    await control(page, 'Step shown').fill('1');
    const [noise, first] = [await pixels(canvas(page, "The ideal denoiser's samples x t")), await pixels(canvas(page, "The ideal denoiser's prediction, x zero hat"))];
    const apart = (/** @type {ArrayLike<number>} */ of) => wanted.reduce((sum, value, i) => sum + Math.abs(value - of[i]), 0) / wanted.length;
    assert.ok(apart(noise.data) > 30 && apart(first.data) < 2, `${sampler}: ${apart(noise.data)} and ${apart(first.data)}`);
    await page.getByText('the ideal denoiser’s prediction from t =').waitFor();
  }
  const sentence = await done(page, () => button(page, 'Compare the network').click(), LONG_MS);
  assert.match(sentence, /^Done: the network is .* from the ideal denoiser of flag.png/);
  const rows = await page.locator('#distances > div').allInnerTexts();
  assert.deepEqual(rows.map((row) => Number(/t = (\d+)/.exec(row)?.[1])), [2, 10, 50, 100, 200, 400, 700, 1000]);
  const distances = rows.map((row) => Number(row.split('\n').at(-1)));
  // The network has not seen flags: far off where t is small, and nearly right where all is noise.
  assert.ok(distances.every((rmse, i) => i === 0 || rmse < distances[i - 1]), String(distances));
  assert.ok(distances[0] > 0.9 && distances[0] < 1.4 && distances[7] > 0.005 && distances[7] < 0.03, String(distances));
  assertFaultless(page);
});
