// Formulas with live numbers beside what they make, each against its closed form.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { figure } from '../../www/ui/numbers.js';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, ready, settings } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
/** The numbers of a formula, in their order. */
const numbers = (/** @type {string} */ id) => page.locator(id).evaluate((math) => [...math.querySelectorAll('mn')].map((one) => String(one.textContent)));
const value = (/** @type {string} */ text) => Number(text.replace('−', '-').replace(/ × 10⁻(.)/, (_, digit) => `e-${'⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)}`));
const near = (/** @type {number} */ a, /** @type {number} */ b, within = 2e-3) => assert.ok(Math.abs(a - b) <= within * Math.abs(b) + 1e-9, `${a}, not ${b}`);

test('what “Finish it” starts from: √ᾱ of the picture and √(1 − ᾱ) of the noise', async () => {
  await settings(page, { Class: '7', Sampler: 'DDIM', Steps: 5, Seed: 2, Count: 1 });
  await control(page, 'Strength').fill('60');
  const said = await press('Finish it'), t = Number(/t = (\d+)/.exec(said)?.[1]);
  const alphaBar = (await page.evaluate(() => window.pollen.schedule())).alphaBar[t];
  assert.deepEqual(await numbers('#b-live'), [String(t), figure(Math.sqrt(alphaBar)), '0', figure(Math.sqrt(1 - alphaBar))]);
});

test('the last step of DDIM to a picture’s noise and back', async () => {
  await settings(page, { 'Steps each way': 4 });
  await press('Find its noise and come back');
  const [to, a, zero, c] = await numbers('#b-inverted-live'), { alphaBar } = await page.evaluate(() => window.pollen.schedule());
  assert.ok(Number(to) > 0 && zero === '0');
  near(value(a), Math.sqrt(alphaBar[Number(to)]));
  near(value(c), Math.sqrt(1 - alphaBar[Number(to)]));
});

test('the way between two noises: weights by the angle, at the picture that is picked; and among four', async () => {
  await settings(page, { Sampler: 'DDIM', Steps: 2, Seed: 5 });
  await control(page, 'The other seed').fill('9');
  await press('Walk there');
  const angle = await page.evaluate(async () => {
    const [a, b] = await Promise.all([5, 9].map((seed) => window.pollen.randn({ seed, shape: [1, 1, 28, 28] }))), dot = (/** @type {Float32Array} */ p, /** @type {Float32Array} */ q) => p.reduce((sum, x, i) => sum + x * q[i], 0);
    return Math.acos(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
  });
  await control(page, 'Picture on the way').fill('3');
  const s = 2 / 7;
  assert.ok(await page.locator('.part', { has: page.locator('#b-walk') }).locator('#b-slerp').isVisible(), 'the formula is beside the way');
  assert.deepEqual((await numbers('#b-slerp-live')).map(value).map(figure), [Math.sin((1 - s) * angle) / Math.sin(angle), Math.sin(s * angle) / Math.sin(angle)].map(figure));
  await page.getByText(`Picture 3: s = 29 % of the way from a, seed 5, to b, seed 9; Ω = ${(angle * 180 / Math.PI).toFixed(1)}°.`).waitFor();
  await press('Show the four corners');
  await control(page, 'Across').fill('0');
  await page.getByText(/^At the ring, 0 % across and 50 % down: .*Ω = /).waitFor();
  assert.ok(await page.locator('.part', { has: page.locator('#b-square') }).locator('#b-slerp').isVisible(), 'the formula is beside the square');
  const [up, a, low, c] = (await numbers('#b-slerp-live')).map(value); // of b and d there is nothing
  assert.deepEqual([a, c], [1, 1]);
  near(up, low);
  assert.ok(up > 0.5 && up < 1, String(up));
});

test('guidance: the lengths of the two predictions, towards a class and away from another', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Seed: 7, Count: 1, 'Away from': '8' });
  await control(page, 'Guidance').fill('2');
  await generate(page);
  await control(page, 'Frame').fill('0');
  assert.match(await press('Draw the arrows'), /^Done: what the network predicts at t = \d+ for 8 and for 3/);
  await control(page, 'Guidance W').fill('3');
  await canvas(page, /with guidance 3 towards 3, away from 8$/).waitFor();
  const made = await page.evaluate(async () => {
    const shape = /** @type {[number, number, number, number]} */ ([2, 1, 28, 28]), x = await window.pollen.randn({ seed: 7, shape: [1, 1, 28, 28] }), timestep = Number(/t = (\d+)/.exec(document.querySelector('#b-guided-caption')?.textContent ?? '')?.[1]) - 1;
    const { prediction } = await window.pollen.predict({ sample: Float32Array.of(...x, ...x), shape, timestep, classLabels: [8, 3] }), { alphaBar } = await window.pollen.schedule();
    const kind = window.pollen.model?.prediction, [p, q] = [Math.sqrt(alphaBar[timestep + 1]), Math.sqrt(1 - alphaBar[timestep + 1])];
    const [other, asked] = [0, 1].map((k) => Array.from(x, (of, i) => (kind === 'v_prediction' ? p * prediction[k * 784 + i] + q * of : prediction[k * 784 + i])));
    const norm = (/** @type {number[]} */ of) => Math.hypot(...of), apart = asked.map((of, i) => of - other[i]);
    return { other: norm(other), apart: norm(apart), guided: norm(other.map((of, i) => of + 3 * apart[i])), x0: norm(apart.map((of) => of * q / p)) };
  });
  const [other, apart, w, guided] = (await numbers('#b-w-live')).map(value);
  near(other, made.other);
  near(apart, made.apart, 1e-2);
  assert.equal(w, 3);
  near(guided, made.guided);
  near(value(await page.locator('#b-guidance [data-v="apart"]').innerText()), made.x0, 1e-2); // not rounded to bytes
  await settings(page, { 'Away from': 'Any' });
});

test('before it is opened, and after a guess, the network as it was recorded: what the engine makes of that noise', async ({ open }) => {
  const other = await open();
  await ready(other);
  assert.equal(await other.locator('#u-figure').isVisible(), false);
  await other.getByRole('radiogroup', { name: /^At t = T the picture is nothing but noise/ }).getByRole('radio', { name: 'The middle' }).click();
  await other.getByText('A recorded example: what MNIST digits make of the noise of seed 0, at t = 1000.').waitFor();
  assert.equal(await other.locator('#u-network').getByRole('button').count(), 22);
  const { off, alike } = await other.evaluate(async (recorded) => {
    const { pollen } = window, { any } = await pollen.loadModel('models/mnist/'), shape = /** @type {[number, number, number, number]} */ ([1, 1, 28, 28]), operations = Object.keys(recorded.pictures).map(Number);
    const found = await pollen.activations({ sample: await pollen.randn({ seed: 0, shape }), shape, timestep: 999, classLabels: [any ?? 0], operations });
    let off = 0;
    for (const { operation, picture } of found) {
      const mean = picture.reduce((sum, x) => sum + x, 0) / picture.length, most = picture.reduce((most, x) => Math.max(most, Math.abs(x - mean)), 0), bytes = Int8Array.from(atob(recorded.pictures[operation]), (byte) => byte.charCodeAt(0));
      off = picture.reduce((worst, x, i) => Math.max(worst, Math.abs(127 * (x - mean) / most - bytes[i])), off);
    }
    const ours = await pollen.operations({ shape });
    return { off, alike: Object.entries(recorded.shapes).every(([place, shape]) => String(ours[Number(place)].shape) === String(shape)) };
  }, JSON.parse(readFileSync(new URL('../../www/sections/unet/example.json', import.meta.url), 'utf8')));
  assert.ok(alike && off < 1, `${off} of 127`);
  // A block of it opens the network itself.
  await done(other, () => other.locator('#u-network').getByRole('button', { name: 'conv_out' }).click());
  await other.getByText(/^What the network makes of xₜ at t = 1000\./).waitFor();
  assertFaultless(other);
});

test('a convolution: the bias, nine weights with what they meet, and what the other channels add', async () => {
  await press('Look inside');
  await page.locator('#u-network').getByRole('button', { name: 'down_blocks.0.resnets.0' }).click();
  await page.getByRole('group', { name: 'The operations of the block' }).getByRole('button').filter({ hasText: 'conv2' }).click();
  await page.getByRole('heading', { name: 'conv2, 3×3' }).waitFor();
  await control(page, 'Input channel').fill('2');
  await page.getByText(/^The number that is picked: the bias, .* in input channel 2, and what the other 31 channels add\.$/).waitFor();
  const { all, signs } = await page.locator('#u-live').evaluate((math) => ({ all: [...math.querySelectorAll('mn')].map((one) => String(one.textContent)), signs: [...math.querySelectorAll('mo')].map((one) => one.textContent) }));
  const [bias, ...rest] = all.map(value), total = rest.pop() ?? NaN, signed = signs.filter((sign) => sign === '+' || sign === '−').map((sign) => (sign === '+' ? 1 : -1));
  assert.deepEqual([rest.length, signed.length], [19, 10]);
  let sum = bias + signed[9] * rest[18];
  for (let i = 0; i < 9; i++) sum += signed[i] * rest[2 * i] * rest[2 * i + 1];
  assert.ok(Math.abs(sum - total) < 5e-3, `${sum}, ${total}`);
  assert.equal(figure(Number(await page.locator('#u-sum').getAttribute('data-total'))), all.at(-1));
});

test('the open network follows the film once that stands still', async () => {
  const slider = page.getByRole('slider', { name: 'Frame of the film' });
  await page.locator('#u-network').scrollIntoViewIfNeeded();
  const before = await slider.getAttribute('aria-valuetext');
  await page.locator('#reverse-frame').evaluate((/** @type {HTMLInputElement} */ of) => { of.value = '3'; of.dispatchEvent(new Event('input')); });
  await page.waitForFunction((was) => document.querySelector('#u-frame')?.getAttribute('aria-valuetext') !== was, before);
  assert.equal(await slider.inputValue(), '3');
  await page.getByText(/^What the network makes of xₜ at t = \d+\./).waitFor();
  // Lightness alone tells above from below: of a picture, the lightest pixel is amber and the darkest teal.
  const { light, dark } = await page.locator('#u-network canvas').first().evaluate((/** @type {HTMLCanvasElement} */ of) => {
    const { data } = /** @type {CanvasRenderingContext2D} */ (of.getContext('2d')).getImageData(0, 0, of.width, of.height), all = [];
    for (let i = 0; i < data.length; i += 4) all.push([0.2126 * data[i] + 0.7152 * data[i + 1] + 0.0722 * data[i + 2], data[i] - data[i + 2]]);
    all.sort((a, b) => a[0] - b[0]);
    return { dark: all[0], light: all[all.length - 1] };
  });
  assert.ok(dark[1] < 0 && light[1] > 0 && light[0] - dark[0] > 80, `${dark}, ${light}`);
});

test('training: the loss of the last step picture by picture, and Adam’s step', async () => {
  await settings(page, { 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels', 'Pictures a step': 3, 'Training steps': 4, 'Sample every': 4 });
  await press('Train');
  await page.getByText(/^Step 4 in numbers/).waitFor();
  const all = await numbers('#t-live'), [one, three] = all, { alphaBar } = await page.evaluate(() => window.pollen.schedule());
  assert.deepEqual([one, three], ['1', '3']);
  let sum = 0;
  for (let i = 0; i < 3; i++) {
    const [weight, loss, t] = all.slice(2 + 3 * i, 5 + 3 * i).map(value), snr = alphaBar[t] / (1 - alphaBar[t]);
    near(weight, Math.min(snr, 5) / (snr + 1));
    sum += weight * loss / 3;
  }
  near(value(all[11]), sum, 5e-3);
  const adam = all.slice(-5).map(value), norm = value(await page.locator('#train-values [data-v="norm"]').innerText());
  assert.deepEqual(adam.slice(0, 1), [0.001]);
  near(adam[1], 1 - 0.9 ** 4);
  near(adam[2], 1 - 0.999 ** 4);
  assert.equal(all.length, norm > 1 ? 18 : 17);
  if (norm > 1) near(value(all[12]), 1 / norm);
});

test('speed: × and + by the time of the pass, and of the kernel that is picked', async ({ open }) => {
  page = await open();
  await ready(page);
  const published = page.locator('#speed-published');
  await published.filter({ hasText: /a pass of .* took [\d.]+ ms with ONNX Runtime Web/ }).waitFor(); // before anything is measured
  await done(page, () => button(page, 'Measure this device').click(), 300_000);
  const rows = page.locator('#speed-rows').getByRole('button');
  await rows.first().and(page.locator('[aria-pressed=true]')).waitFor();
  const [gflop, ms, rate, ...kernel] = (await numbers('#speed-live')).map(value);
  near(rate, gflop / ms * 1000, 5e-3);
  near(ms, value((await page.locator('#speed-values [data-v="pass"]').innerText()).replace(/ ms$/, '')));
  near(kernel[2], kernel[0] / kernel[1] * 1000, 5e-3);
  assert.ok(kernel[0] <= gflop);
  // With peaks: of the first convolution, which reads one picture and 32 × 9 weights and writes 32 channels of it.
  const { bytes, all } = await page.evaluate(async () => {
    const { bytesOf, showLeast } = await import(new URL('sections/speed/least.js', location.href).href), all = await window.pollen.operations();
    const place = all.findIndex(({ tensors }) => tensors[0] === 'conv_in.weight');
    showLeast([{ name: 'a pass', ms: 9, flops: 6e9, bytes: 8e6 }], { flops: 2e12, bytes: 1e9 });
    return { bytes: bytesOf(all, place, 4), all: [...document.querySelectorAll('#speed-live mn')].map((one) => one.textContent) };
  });
  assert.equal(bytes, 4 * (784 + 32 * 784 + 32 * 9));
  assert.deepEqual(all, [9, 6, 2000, 8, 1, 3, 8, 8].map(figure));
  assertFaultless(page);
});
