// What is folded below the forward chain's picture: every schedule beside the others with the document's 0.2, and sizes matched by SNR.
import assert from 'node:assert/strict';
import { figure } from '../../www/ui/numbers.js';
import { violations } from './support/axe.js';
import { address, assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, pixels, ready } from './support/page.js';

test.use({ gpu: false });

const NAMES = /** @type {const} */ (['linear', 'scaled_linear', 'geometric', 'sigmoid', 'cosine']);
const FOLD = 'Which schedule destroys the picture first?', SIZES = 'Why do large pictures need another schedule?';

/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const slider = () => control(page, 'Timestep t');
const chart = () => page.getByRole('slider', { name: 'ᾱ of every schedule' });

/** ᾱ of β_t = β_1 + (β_T − β_1)(t − 1) / (T − 1), by the product. */
function linear(/** @type {number} */ T, /** @type {number} */ betaEnd) {
  const alphaBar = [1];
  for (let t = 1; t <= T; t++) alphaBar.push(alphaBar[t - 1] * (1 - (1e-4 + ((betaEnd - 1e-4) * (t - 1)) / (T - 1))));
  return alphaBar;
}

test('neither fold is loaded before it is opened; on a narrow page, dark, both can be read and nothing sticks out', async ({ open }) => {
  const page = await open({ blank: true, context: { viewport: { width: 320, height: 640 }, colorScheme: 'dark' } }), /** @type {string[]} */ asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(address);
  await ready(page);
  const loaded = () => asked.filter((url) => /forward\/(schedules|sizes)\.js$/.test(url)).length;
  assert.equal(loaded(), 0);
  await page.getByText(SIZES).click();
  await page.getByRole('radio', { name: 'As much' }).click(); // it may not be there yet
  await canvas(page, /^64 × 64 pixels at t = \d/).waitFor();
  assert.equal(loaded(), 1);
  await page.getByText(FOLD).click();
  await page.getByRole('radio', { name: 'Cosine' }).click();
  await page.getByText(/^From t = 301 on/).waitFor();
  assert.equal(loaded(), 2);
  assert.deepEqual(await violations(page, '#forward'), []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  assertFaultless(page);
});

test('every schedule beside the others, once the visitor has guessed, and the document’s with its damage', async () => {
  await page.getByText(FOLD).click();
  await page.getByRole('radio', { name: 'Geometric' }).click();
  await chart().press('Home');
  const halves = page.locator('#schedules-halves'), damage = page.locator('#schedules-damage');
  const all = await page.evaluate((names) => Promise.all(names.map(async (schedule) => [...(await window.pollen.schedule({ schedule })).alphaBar])), NAMES);
  assert.deepEqual((await halves.locator('dd').allInnerTexts()), [...all, linear(1000, 0.2)].map((alphaBar) => `t = ${alphaBar.findIndex((value) => value <= 0.5)}`));
  assert.match(await halves.innerText(), /linear to β_T = 0.2, as printed\s+t = 84/);
  const lost = (/** @type {number} */ T, /** @type {number} */ betaEnd) => linear(T, betaEnd).filter((left) => left < 1e-4).length;
  assert.match(await damage.innerText(), new RegExp(`^From t = ${1001 - lost(1000, 0.2)} on .* ${lost(1000, 0.2)} of the 1,000 steps, ${lost(1000, 0.2) / 10} %, only stir noise.* With 0.02 it is ${lost(1000, 0.02)}\\.$`));

  await control(page, 'Length T').fill('100');
  await control(page, 'Length T').blur();
  await halves.getByText('t = 50', { exact: true }).waitFor(); // the cosine's
  assert.equal(await halves.locator('dd').last().innerText(), `t = ${linear(100, 0.2).findIndex((value) => value <= 0.5)}`);
  assert.ok(lost(100, 0.2) > 0);
  assert.match(await damage.innerText(), new RegExp(`^From t = ${101 - lost(100, 0.2)} on .* ${lost(100, 0.2)} of the 100 steps.* With 0.02 it is 0\\.$`));
  await chart().press('End');
  const ends = await page.evaluate((names) => Promise.all(names.map(async (schedule) => (await window.pollen.schedule({ schedule, steps: 100 })).alphaBar[100])), NAMES);
  const said = await chart().getAttribute('aria-valuetext');
  for (const value of [...ends, linear(100, 0.2)[100]]) assert.ok(said?.includes(figure(value)), `${said} has no ${figure(value)}`);

  await control(page, 'Length T').fill('20');
  await control(page, 'Length T').blur();
  await damage.filter({ hasText: `at t = 20 it leaves ${Math.round(100 * linear(20, 0.2)[20])} %` }).waitFor();
  await control(page, 'Length T').fill('1000');
  await control(page, 'Length T').blur();
  await damage.filter({ hasText: '1,000 steps' }).waitFor();
  assertFaultless(page);
});

test('the overlay’s cursor is at the page’s t, and a pick in it moves that', async () => {
  await slider().fill('412');
  assert.equal(await chart().getAttribute('aria-valuenow'), '412');
  assert.match(await chart().getAttribute('aria-valuetext') ?? '', new RegExp(`^t = 412: linear ${figure(linear(1000, 0.02)[412])},.* as printed ${figure(linear(1000, 0.2)[412])}$`));
  await chart().press('ArrowRight');
  assert.equal(await slider().inputValue(), '413');
  await canvas(page, /^The picture at timestep 413 /).waitFor();
  const box = await chart().boundingBox();
  assert.ok(box);
  await chart().click({ position: { x: box.width / 2, y: box.height / 2 } });
  const picked = Number(await slider().inputValue());
  assert.ok(Math.abs(picked - 500) < 60, String(picked));
  await canvas(page, new RegExp(`^The picture at timestep ${picked} `)).waitFor();
  assertFaultless(page);
});

test('the document’s 0.2 goes into the form and out again, at the same t; so it does where another schedule stood', async () => {
  const share = (/** @type {number} */ t, /** @type {number} */ betaEnd) => page.locator('#forward-caption').filter({ hasText: `t = ${t} of 1000: ${Math.round(100 * linear(1000, betaEnd)[t])} % picture` }).waitFor();
  const attempt = () => button(page, 'Try the document’s 0.2');
  await slider().fill('100');
  await share(100, 0.02);
  await attempt().click();
  await share(100, 0.2);
  await button(page, 'Back to 0.02').waitFor();
  assert.deepEqual([await control(page, 'Last, βT').inputValue(), await slider().inputValue(), await page.locator('#curves [data-v=alpha]').innerText()], ['0.2', '100', figure(linear(1000, 0.2)[100])]);
  assert.match(page.url(), /forward\.betaEnd=0\.2/);
  await button(page, 'Back to 0.02').click();
  await share(100, 0.02);
  await attempt().waitFor();
  assert.equal(await control(page, 'Last, βT').inputValue(), '0.02');

  await control(page, 'Schedule of β').selectOption({ label: 'Cosine in ᾱ' });
  await page.locator('#forward-caption').filter({ hasText: /^t = 0:/ }).waitFor();
  await slider().fill('100');
  await attempt().click();
  await share(100, 0.2);
  assert.equal(await control(page, 'Schedule of β').inputValue(), 'linear');
  await button(page, 'Back to “cosine”').click();
  await attempt().waitFor();
  assert.deepEqual([await control(page, 'Schedule of β').inputValue(), await control(page, 'Last, βT').isDisabled()], ['cosine', true]);
  await control(page, 'Schedule of β').selectOption({ label: 'Linear, as in the paper' });
  await page.locator('#forward-caption').filter({ hasText: /^t = 0:/ }).waitFor();
  assertFaultless(page);
});

test('what is left of the picture, in SNR and bits, beside the histogram', async () => {
  const row = page.locator('#curves div', { has: page.locator('#moments') });
  for (const t of [1, 300, 1000]) {
    await slider().fill(String(t));
    const alphaBar = linear(1000, 0.02)[t], snr = alphaBar / (1 - alphaBar);
    assert.match((await row.innerText()).replace(/\s+/g, ' '), new RegExp(`SNR = .*: ${figure(snr)}\\. So .* = ${figure(0.5 * Math.log2(1 + snr))} bits a value at most`.replaceAll('.00 ×', '\\.00 ×')));
  }
  await slider().fill('0');
  assert.match((await row.innerText()).replace(/\s+/g, ' '), /: ∞\. So .* = ∞ bits/);
});

const K = 4, snr = (/** @type {number} */ alphaBar) => alphaBar / (1 - alphaBar);
/** The means of 4 × 4 values of a plane of 256 × 256. */
const averaged = (/** @type {number[]} */ plane) => Array.from({ length: 64 * 64 }, (_, i) => {
  let sum = 0;
  for (let y = 0; y < K; y++) for (let x = 0; x < K; x++) sum += plane[(Math.floor(i / 64) * K + y) * 256 + (i % 64) * K + x];
  return sum / K ** 2;
});

test('a large picture beside a small one: 16 times its SNR at the same t, the same where they are matched', async () => {
  const small = (/** @type {number} */ t) => canvas(page, `64 × 64 pixels at t = ${t}`), large = (/** @type {RegExp} */ at) => canvas(page, at);
  const value = (/** @type {string} */ name) => page.locator('#sizes dl > div', { hasText: name }).locator('dd').innerText();
  await slider().fill('0');
  await page.getByText(SIZES).click();
  assert.equal(await page.locator('#sizes canvas:visible').count(), 0);
  await page.getByRole('radio', { name: 'Less', exact: true }).click();
  assert.match(await page.locator('#guess-sizes + .verdict').innerText(), /^Not so\. /);
  await small(0).waitFor();
  const start = (await pixels(large(/^256 × 256 pixels at t = 0,/))).data;
  assert.deepEqual((await pixels(small(0))).data, start); // the same motif

  const alphaBar = linear(1000, 0.02), wanted = Math.log10(snr(alphaBar[300]) / K ** 2);
  const to = alphaBar.map((left, t) => [Math.abs(Math.log10(snr(left)) - wanted), t]).slice(1).sort(([a], [b]) => a - b)[0][1];
  const noise = averaged(await page.evaluate(async () => [...(await window.pollen.randn({ seed: 0, shape: [3, 256, 256] })).slice(0, 65_536)]));
  /** Whether the red values are contrast · (√ᾱ·x_0 + √(1 − ᾱ)·mean of ε). */
  const assertFormula = async (/** @type {import('@playwright/test').Locator} */ of, /** @type {number} */ left, /** @type {number} */ contrast) => {
    const { data } = await pixels(of);
    for (let i = 0; i < 4096; i += 61) {
      const x = contrast * (Math.sqrt(left) * (start[4 * i] / 127.5 - 1) + Math.sqrt(1 - left) * noise[i]);
      assert.ok(Math.abs(data[4 * i] - Math.max(0, Math.min(255, (x + 1) * 127.5))) <= 1.01, `pixel ${i}`);
    }
  };
  await slider().fill('300');
  await small(300).waitFor();
  await assertFormula(large(/^256 × 256 pixels at t = 300, each 4 × 4 averaged$/), alphaBar[300], 1);
  assert.deepEqual([await value('SNR, 64'), await value('averaged'), await value('apart')], [figure(snr(alphaBar[300])), figure(16 * snr(alphaBar[300])), '+1.204']);

  await page.getByRole('switch', { name: 'Match by SNR' }).check();
  const matched = large(new RegExp(`^256 × 256 pixels at t′ = ${to}, each 4 × 4 averaged, with 3\\.\\d+ times the contrast`));
  await matched.waitFor();
  await assertFormula(matched, alphaBar[to], Math.sqrt(alphaBar[300] / alphaBar[to]));
  assert.equal(await value('averaged'), figure(16 * snr(alphaBar[to])));
  assert.ok(Math.abs(16 * snr(alphaBar[to]) / snr(alphaBar[300]) - 1) < 0.01);
  assert.match(await page.locator('#sizes-said').innerText(), new RegExp(`At t′ = ${to} .* −2 ln 4 = −2\\.773\\.$`));
  // Both look alike: as much noise, to what 4096 values of each channel tell of it.
  const spread = (/** @type {number[]} */ data) => Math.sqrt(data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : (value - start[i]) ** 2), 0) / (3 * 4096));
  assert.ok(Math.abs(spread((await pixels(matched)).data) / spread((await pixels(small(300))).data) - 1) < 0.03);

  assert.deepEqual(await violations(page, '#forward'), []);

  await slider().fill('1000'); // no t has a sixteenth of the last SNR
  await small(1000).waitFor();
  await page.locator('#sizes-said').filter({ hasText: /^The schedule ends too soon: its lowest SNR, at t = 1000,/ }).waitFor();
  await slider().fill('0');
  await page.locator('#sizes-said').filter({ hasText: 'No noise yet' }).waitFor();
  await page.getByRole('switch', { name: 'Match by SNR' }).uncheck();
  // They follow the settings: their colours, and another schedule.
  await control(page, 'Colour').selectOption({ label: 'Grey' });
  await page.waitForFunction(() => {
    const { data } = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (document.getElementById('sizes-large')).getContext('2d')).getImageData(0, 0, 64, 64);
    return data.every((value, i) => i % 4 === 3 || value === data[i - (i % 4)]);
  });
  assertFaultless(page);
});
