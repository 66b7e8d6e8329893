// The Gaussians behind the bound: their KL divergence and the discretised decoder, dragged, by keyboard, and of a picture's pixels.
import assert from 'node:assert/strict';
import { figure } from '../../www/ui/numbers.js';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, settings } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const shown = async (/** @type {string} */ section, /** @type {string} */ name) => (await page.locator(`#${section} [data-v="${name}"]`).last().textContent() ?? '').trim();
const slider = (/** @type {string} */ name) => page.getByRole('slider', { name, exact: true });
const value = async (/** @type {string} */ name) => Number(await slider(name).getAttribute('aria-valuenow'));
/** Resolves once that text is there. */
const settled = (/** @type {string} */ section, /** @type {string} */ name, /** @type {string} */ text) => page.waitForFunction(([section, name, text]) => [...document.querySelectorAll(`#${section} [data-v="${name}"]`)].some((node) => node.textContent === text), /** @type {const} */ ([section, name, text]));

/** The divergence by its closed form. */
const divergence = (/** @type {number} */ mp, /** @type {number} */ sp, /** @type {number} */ mq, /** @type {number} */ sq) => Math.log(sq / sp) + (sp ** 2 + (mp - mq) ** 2) / (2 * sq ** 2) - 0.5;

test('two Gaussians by keyboard and by pointer: the closed form, the same by summing, and the other way round', async () => {
  const check = async () => {
    const [mp, sp, mq, sq] = [await value('Mean of P'), await value('Deviation of P'), await value('Mean of Q'), await value('Deviation of Q')];
    await settled('kl', 'closed', `${figure(divergence(mp, sp, mq, sq))} nats`);
    assert.equal(await shown('kl', 'numeric'), await shown('kl', 'closed'));
    assert.equal(await shown('kl', 'back'), `${figure(divergence(mq, sq, mp, sp))} nats`);
    assert.deepEqual([await shown('kl', 'meanP'), await shown('kl', 'deviationQ')], [figure(mp), figure(sq)]);
    return { mp, sp, mq, sq };
  };
  const first = await check();
  for (const [name, key] of /** @type {const} */ ([['Mean of P', 'ArrowRight'], ['Deviation of P', 'PageUp'], ['Mean of Q', 'ArrowLeft'], ['Deviation of Q', 'ArrowDown']])) await slider(name).press(key);
  const second = await check();
  assert.ok(second.mp > first.mp && second.sp > first.sp && second.mq < first.mq && second.sq < first.sq, JSON.stringify([first, second]));
  await slider('Mean of P').scrollIntoViewIfNeeded();
  const box = await slider('Mean of P').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 60, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  const third = await check();
  assert.ok(third.mp > second.mp + 0.1 && third.sp === second.sp, JSON.stringify([second, third]));
  await button(page, 'Swap P and Q').click();
  const swapped = await check();
  assert.deepEqual(swapped, { mp: third.mq, sp: third.sq, mq: third.mp, sq: third.sp });
});

test('256 buckets: their probabilities add up, the edge is open, a narrow Gaussian makes its value certain', async () => {
  const nats = await page.evaluate(async () => [...await window.pollen.decoderNats({ mean: 0.3, deviation: 0.4 })]);
  assert.equal(nats.length, 256);
  assert.ok(Math.abs(nats.reduce((sum, one) => sum + Math.exp(-one), 0) - 1) < 1e-12);
  assert.ok(Math.exp(-nats[255]) > 5 * Math.exp(-nats[254])); // all that lies beyond 1
  const chart = slider('Probability of each of the 256 values');
  await chart.press('Home');
  assert.match(await chart.getAttribute('aria-valuetext') ?? '', /^byte 0: /);
  const before = Number((await shown('decoder', 'probability')).split(' ')[0]);
  await slider('Deviation of the Gaussian').press('PageDown');
  await page.waitForFunction((before) => document.querySelector('#decoder [data-v="probability"]')?.textContent !== String(before), before);
  const mean = await value('Mean of the Gaussian'), deviation = await value('Deviation of the Gaussian');
  const own = await page.evaluate(async (of) => (await window.pollen.decoderNats(of))[110], { mean, deviation });
  await settled('decoder', 'cost', `${figure(own / Math.LN2)} bits, ${figure(own)} nats`);
  assert.equal(await shown('decoder', 'probability'), figure(Math.exp(-own)));
});

test('once the bound is measured, both are of a pixel of the picture, and their sums are its terms', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Count: 1 });
  await done(page, () => button(page, 'Generate').click());
  await button(page, 'Take it to the forward chain').click();
  await control(page, 'Timesteps visited').fill('8');
  await done(page, () => button(page, 'Measure the bound').click());
  const first = await page.locator('#bound [data-v="first"]').innerText();
  assert.match(first, /bits\/dim, .* nats$/);
  assert.deepEqual([await shown('decoder', 'sum'), await shown('decoder', 'first')], [first, first]);
  for (const [x, y] of [[14, 14], [0, 0], [9, 20]]) {
    await control(page, 'Column of the decoder pixel').fill(String(x));
    await control(page, 'Row of the decoder pixel').fill(String(y));
    await page.getByText(new RegExp(`^The network’s p\\(x₀ \\| x₁\\) of pixel ${x}, ${y} of a sample of MNIST digits`)).waitFor();
    const byte = Number(await shown('decoder', 'byte')), of = { mean: await value('Mean of the Gaussian'), deviation: await value('Deviation of the Gaussian') };
    const nats = await page.evaluate(async ([of, byte]) => (await window.pollen.decoderNats(of))[byte], /** @type {const} */ ([of, byte]));
    await settled('decoder', 'cost', `${figure(nats / Math.LN2)} bits, ${figure(nats)} nats`);
    // The same pixel in the other figure: what it adds to its term is the divergence that is shown.
    const said = await page.locator('#kl-caption').innerText();
    assert.match(said, new RegExp(`of pixel ${x}, ${y} of a sample`));
    await settled('kl', 'closed', `${/it adds (.*?) nats/.exec(said)?.[1]} nats`);
    assert.equal(await shown('kl', 'numeric'), await shown('kl', 'closed'));
  }
  const terms = await control(page, 'Term of the bound').locator('option').allInnerTexts();
  assert.equal(terms.length, 7);
  await control(page, 'Term of the bound').selectOption({ index: 6 });
  await canvas(page, new RegExp(`^What each pixel costs at ${terms[6]}, light`)).waitFor();
  // A click on the map picks as well.
  const map = canvas(page, new RegExp(`^What each pixel costs at ${terms[6]}`));
  await map.scrollIntoViewIfNeeded();
  const box = await map.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + (20.5 / 28) * box.width, box.y + (3.5 / 28) * box.height);
  assert.deepEqual([await control(page, 'Column of the KL pixel').inputValue(), await control(page, 'Row of the KL pixel').inputValue()], ['20', '3']);
  const caption = page.locator('#kl-caption');
  for (const text of ['P is the network’s p(xₜ₋₁ | xₜ) and Q is q(xₜ₋₁ | xₜ, x₀) now.', 'P is q(xₜ₋₁ | xₜ, x₀) and Q is the network’s p(xₜ₋₁ | xₜ) now.']) {
    await button(page, 'Swap P and Q').click();
    assert.equal(await caption.innerText(), text);
  }
  await slider('Mean of P').press('ArrowRight');
  assert.equal(await caption.innerText(), 'Two Gaussians of your own.');
  assertFaultless(page);
});
