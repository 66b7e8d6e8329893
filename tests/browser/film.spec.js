// What is left of a run: its film, the frames of one that was cancelled, files and links; and how a run is told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { textOf } from '../../www/files/chunks.js';
import { assertFaultless, share, test } from './support/harness.js';
import { alert, button, canvas, control, generate, objection, outcome, pixels, ready, settings, status, stepped } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const SAMPLES = 'The samples x t';
const frame = async () => Number(await control(page, 'Frame').inputValue());
/** Resolves once the film is at that frame. */
const at = (/** @type {number} */ index) => page.waitForFunction((index) => /** @type {HTMLInputElement} */ (document.getElementById('reverse-frame')).value === String(index), index);

test('the film begins with the noise that the chain starts from', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Seed: 7, Count: 1 });
  await generate(page);
  // How long the next one takes is known now.
  await settings(page, { Count: 9 });
  await page.getByText(/^About [\d.]+ s on the processor, going by the last run\.$/).waitFor();
  await settings(page, { Count: 1 });
  await control(page, 'Frame').fill('0');
  const { data } = await pixels(canvas(page, SAMPLES));
  const noise = await page.evaluate(async () => [...await window.pollen.randn({ seed: 7, shape: [1, 1, 28, 28] })]);
  noise.forEach((value, i) => assert.ok(Math.abs(data[4 * i] - Math.max(0, Math.min(255, (value + 1) * 127.5))) <= 1, `pixel ${i}`));
  await page.getByText(/: the noise that the chain starts from\. MNIST digits, class 3, seed 7/).waitFor();
});

test('step by step, played and paused, by keyboard', async () => {
  await control(page, 'Frame').fill('0');
  const step = async (/** @type {string} */ name) => { await button(page, name).press('Enter'); return frame(); };
  assert.deepEqual([await step('Step on'), await step('Step on'), await step('Step back'), await step('Step back'), await step('Step back')], [1, 2, 1, 0, 0]);
  await control(page, 'Speed').selectOption({ label: '24 a second' });
  await button(page, 'Play film').press('Enter');
  await at(5);
  await button(page, 'Play film').waitFor(); // at its end it stops
  await control(page, 'Speed').selectOption({ label: '2 a second' });
  await button(page, 'Play film').click(); // and begins again
  await at(2);
  await button(page, 'Pause film').click();
  const paused = await frame();
  await page.waitForTimeout(700);
  assert.equal(await frame(), paused);
  assert.ok(paused >= 2 && paused < 5, `paused at ${paused}`); // a busy machine presses late
  const name = await canvas(page, SAMPLES).getAttribute('aria-label') ?? '';
  assert.ok(name.includes(`after step ${paused} of 5: MNIST digits, class 3, seed 7`), name);
});

test('the frame that is shown is saved, also eight times as large, under a name that says what it is', async () => {
  const save = async (/** @type {string} */ name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
    const file = readFileSync(await download.path());
    return { name: download.suggestedFilename(), width: file.readUInt32BE(16), settings: JSON.parse(textOf(file, 'pollen') ?? '') };
  };
  await control(page, 'Frame').fill('5');
  const last = await save('Save as PNG');
  assert.deepEqual([last.name, last.width], ['pollen-mnist-class3-ddim-5steps-seed7.png', 28]);
  const { sha256, pollen, ...settings } = last.settings;
  assert.deepEqual(settings, { model: 'mnist', class: 3, guidance: 1, seed: 7, sampler: 'ddim', steps: 5, eta: 0, count: 1, title: 'MNIST digits', file: 'png', scale: 1 });
  await control(page, 'Frame').fill('2');
  const large = await save('Save at 8×');
  assert.deepEqual([large.name, large.width, large.settings.step], ['pollen-mnist-class3-ddim-5steps-seed7-step2-8x.png', 224, 2]);
  const strip = await save('Save as a strip');
  assert.deepEqual([strip.name, strip.width], ['pollen-mnist-class3-ddim-5steps-seed7-strip.png', 6 * 4 * 28]);
});

test('a sample goes to the forward chain', async () => {
  await control(page, 'Frame').fill('5');
  const { data } = await pixels(canvas(page, SAMPLES));
  await button(page, 'Take it to the forward chain').click();
  const taken = canvas(page, /^The picture before any noise: a sample of MNIST digits, class 3, seed 7/);
  await taken.waitFor();
  assert.deepEqual((await pixels(taken)).data, data);
  assert.deepEqual([await control(page, 'Size, pixels').inputValue(), await control(page, 'Colour').inputValue()], ['28', '1']);
});

test('Cancel is acknowledged at once and keeps what was made; Escape is Cancel; the focus stays', async () => {
  await settings(page, { Steps: 900 });
  await button(page, 'Generate').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => Number(/step (\d+)/.exec(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext') ?? '')?.[1]) > 3);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Generate');
  await page.keyboard.press('Enter'); // does nothing while it runs
  await page.keyboard.press('Escape');
  await status(page).filter({ hasText: /^Cancelled after .*What was made until then, \d+ of 900 steps, is kept\./ }).waitFor();
  const kept = Number(/(\d+) of 900/.exec(await status(page).innerText())?.[1]);
  assert.ok(kept > 3 && kept < 900);
  assert.equal(await control(page, 'Frame').getAttribute('max'), String(kept));
  for (const name of ['Play film', 'Save as PNG', 'Copy a link to this picture']) assert.ok(await button(page, name).isEnabled(), name);
  await control(page, 'Frame').fill('1');
  await canvas(page, /^The samples x t after step 1 of 900/).waitFor();
  // One that is cancelled as it begins takes nothing away.
  await button(page, 'Generate').click();
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled after/ }).waitFor();
  for (const name of ['Play film', 'Save as PNG', 'Copy a link to this picture']) assert.ok(await button(page, name).isEnabled(), name);
});

test('a second run does not begin with the end of the first, nor with a full bar', async () => {
  await settings(page, { Steps: 2 });
  const said = page.evaluate(() => new Promise((resolve) => {
    const status = /** @type {HTMLElement} */ (document.getElementById('status')), bar = /** @type {HTMLElement} */ (document.getElementById('progress'));
    document.addEventListener('submit', () => setTimeout(() => resolve([status.textContent, bar.getAttribute('aria-valuenow')])), { once: true });
  }));
  const end = outcome(page, () => button(page, 'Generate').click());
  const [sentence, progress] = /** @type {[string, string | null]} */ (await said);
  assert.match(sentence, /^Starting/);
  assert.equal(progress, null);
  assert.match((await end).done ?? '', /^Done/);
});

test('a link carries the settings of the picture, whatever the address says; one that is opened shows itself', async ({ open }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('navigation', { name: 'Contents' }).getByRole('link', { name: 'Race' }).click();
  await settings(page, { Seed: 99 });
  await button(page, 'Copy a link to this picture').click();
  await status(page).filter({ hasText: 'clipboard' }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /#model=mnist&class=3&guidance=1&seed=7&sampler=ddim&steps=2&eta=0&count=1$/);
  const other = await open({ path: new URL(link).hash });
  await status(other).filter({ hasText: /^Done: 1 picture, 2 steps of DDIM/ }).waitFor();
  assert.deepEqual((await pixels(canvas(other, SAMPLES))).data, (await pixels(canvas(page, SAMPLES))).data);
  const box = await canvas(other, SAMPLES).boundingBox();
  assert.ok(box && box.y > 0 && box.y < 720, JSON.stringify(box));
  assertFaultless(other);
});

test('what a link asks for and the page does not have is named', async ({ open }) => {
  const other = await open({ path: '#model=nothing&sampler=ddim&class=3&steps=abc&count=-4&seed=5' });
  await alert(other).filter({ hasText: 'The link asks for model “nothing”, steps “abc”, count “-4”' }).waitFor();
  await status(other).filter({ hasText: 'The settings are those of the link' }).waitFor();
  assert.deepEqual(await Promise.all(['Steps', 'Count', 'Seed'].map((name) => control(other, name).inputValue())), ['20', '4', '5']);
});

test('a checkpoint that is opened during a run is answered', async ({ open }) => {
  const other = await open();
  await ready(other);
  await settings(other, { Steps: 900, Count: 1 });
  await button(other, 'Generate').click();
  await stepped(other);
  const config = { name: 'config.json', mimeType: '', buffer: Buffer.from('{}') };
  assert.match(await objection(other, () => control(other, 'Checkpoint files').setInputFiles(config)), /A run is going on/);
  await button(other, 'Cancel').click();
});

test('a strip shows the first picture come out of noise, whatever the sampler: it asks the network nothing, moves nothing, and its frames lead the film', async ({ open }) => {
  const other = await open({ context: { viewport: { width: 1440, height: 900 } } });
  await ready(other);
  const strips = ['From noise to the picture', 'From noise to the picture above'].map((name) => other.getByRole('list', { name, exact: true }));
  for (const strip of strips) assert.equal(await strip.getByRole('button').count(), 0);
  const heights = () => Promise.all(strips.map((strip) => strip.evaluate((list) => list.getBoundingClientRect().height)));
  const kept = await heights();
  await settings(other, { Class: '3', Sampler: 'DDIM', Steps: 8, Count: 1 });
  await other.evaluate(() => {
    scrollTo(0, 0);
    const scope = /** @type {any} */ (globalThis);
    scope.shifted = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) scope.shifted += /** @type {any} */ (entry).value; }).observe({ type: 'layout-shift' });
  });
  await generate(other);
  await strips[1].getByRole('button').first().waitFor();
  const shift = await other.evaluate(() => /** @type {any} */ (globalThis).shifted);
  assert.ok(shift <= 0.02, `the layout shifted by ${shift}`);
  assert.deepEqual(await heights(), kept);
  for (const [Sampler, Steps, Count, frames] of /** @type {[string, number, number, number][]} */ ([['DDPM', 30, 4, 8], ['Heun', 3, 2, 4], ['DDIM', 2, 1, 3]])) {
    await settings(other, { Class: '3', Sampler, Steps, Count, Seed: 5 });
    await generate(other);
    for (const strip of strips) {
      const labels = await strip.getByRole('button').allInnerTexts(), timesteps = labels.map((label) => Number(/t = (\d+)$/.exec(label.trim())?.[1]));
      assert.equal(labels.length, frames, labels.join());
      assert.ok(timesteps.at(-1) === 0 && timesteps.every((t, i) => !i || t < timesteps[i - 1]), labels.join());
      // The ends are the large picture's, of which the first is shown.
      for (const [at, index] of /** @type {const} */ ([[0, '0'], [frames - 1, await control(other, 'Frame').getAttribute('max') ?? '']])) {
        await strip.getByRole('button').nth(at).press('Enter');
        assert.equal(await control(other, 'Frame').inputValue(), index);
        assert.equal(await strip.getByRole('button').nth(at).getAttribute('aria-current'), 'true');
        assert.equal(await strip.locator('[aria-current=true]').count(), 1);
        const small = await pixels(strip.locator('canvas').nth(at)), large = await pixels(canvas(other, SAMPLES));
        assert.deepEqual([small.width, small.height], [28, 28]);
        for (let y = 0; y < 28; y++) for (let x = 0; x < 28; x++) assert.deepEqual(small.at(x, y), large.at(x, y), `${Sampler}, ${at}: ${x}, ${y}`);
      }
    }
  }
  // While another run goes on its frames cannot be pressed.
  await settings(other, { Steps: 900 });
  await button(other, 'Generate').click();
  await stepped(other);
  assert.ok(await strips[0].getByRole('button').first().isDisabled());
  await button(other, 'Cancel').click();
  await status(other).filter({ hasText: /^Cancelled after/ }).waitFor();
  assert.ok(await strips[0].getByRole('button').first().isEnabled());
  assertFaultless(other);
});
