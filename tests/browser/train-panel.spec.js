// Training in the page: the panel.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, note, share, test } from './support/harness.js';
import { png } from './support/images.js';
import { alert, button, canvas, control, done, generate, outcome, pixels, ready, settings, status, stepped, upload } from './support/page.js';

test.use({ gpu: false }); // what a step computes on a GPU is for train.spec.js
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const small = { 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels', 'Pictures a step': 2 };

test('the panel: costs first, a run with its loss and samples, the model for Generate', async () => {
  await upload(page, 'board.png', png(16, 16, (x, y) => [17 * x, 17 * y, 128, 255]), 'image/png');
  await settings(page, { ...small, 'Training steps': 6, 'Sample every': 4 });
  await page.getByText('Objective: v with min-SNR').click();
  await settings(page, { 'Error of a pixel': 'Its size, L₁' });
  await page.getByText(/0\.69 million parameters.*billion operations.*Memory: [\d.]+ MB/).waitFor();
  const said = await done(page, () => button(page, 'Train').click());
  assert.match(said, /^Done: 6 steps of training on board\.png/);
  const loss = page.getByRole('slider', { name: 'Loss by training step' });
  await loss.press('End');
  assert.match(await loss.getAttribute('aria-valuetext') ?? '', /^step 6: loss of the step [\d.]+, mean of 100 [\d.]+$/);
  assert.equal((await pixels(canvas(page, 'A sample of the network in training'))).width, 16);
  assert.equal(await control(page, 'Model').evaluate((/** @type {HTMLSelectElement} */ select) => select.selectedOptions[0].text), 'Trained here, board.png');
  await settings(page, { Sampler: 'DDIM', Steps: 2, Count: 1 });
  assert.match(await generate(page), /^Done: 1 picture/);
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save the model').click()]);
  await status(page).filter({ hasText: /^Saved pollen-board\.zip/ }).waitFor();
  assert.equal(download.suggestedFilename(), 'pollen-board.zip');
  // One file, which the page opens again: the same network.
  const sample = () => page.evaluate(async () => [...(await window.pollen.generate({ sampler: 'ddim', steps: 2 })).sample]);
  const before = await sample();
  await control(page, 'Checkpoint files').setInputFiles(await download.path().then((path) => ({ name: 'pollen-board.zip', mimeType: 'application/zip', buffer: readFileSync(path) })));
  await status(page).filter({ hasText: /^Opened pollen-board/ }).waitFor();
  assert.equal(await page.evaluate(() => window.pollen.model?.prediction), 'v_prediction');
  assert.deepEqual(await sample(), before);
  assertFaultless(page);
});

test('the first sample comes after five steps, and how long a training takes is said before it begins, once one has been timed', async ({ open }) => {
  const other = await open();
  await ready(other);
  const hint = other.getByText(/^How long it takes is said after the first steps\.$/), about = other.getByText(/^About [\d.]+ (s|min \d+ s) for [\d,]+ steps on the processor, going by what was measured here last\.$/);
  await settings(other, { ...small, 'Training steps': 12, 'Sample every': 10 });
  await hint.waitFor();
  await generate(other); // which says at least of what order it is
  const rough = other.getByText(/^Roughly [\d.]+ (s|minutes?) for 12 steps on the processor, reckoned from the pictures made here; the first steps say it better\.$/);
  note(await rough.innerText());
  const shown = other.evaluate(() => new Promise((resolve) => {
    const caption = /** @type {HTMLElement} */ (document.getElementById('sample-caption'));
    new MutationObserver(() => { if (/step \d/.test(caption.textContent ?? '')) resolve(caption.textContent); }).observe(caption, { childList: true, characterData: true, subtree: true });
  }));
  await done(other, () => button(other, 'Train').click());
  assert.equal(await shown, 'Sample of the averaged network at step 5');
  const film = control(other, 'Samples over the training');
  assert.equal(await film.getAttribute('max'), '2'); // 5, 10 and 12
  await about.waitFor();
  const seconds = async () => { const [, a, , b] = /** @type {RegExpExecArray} */ (/About ([\d.]+) (?:s|(min) (\d+) s)/.exec(await about.innerText())); return b ? 60 * Number(a) + Number(b) : Number(a); };
  await settings(other, { 'Training steps': 1000 });
  await control(other, 'Training steps').blur();
  await other.getByText(/^About .* for 1,000 steps/).waitFor();
  const thousand = await seconds();
  await settings(other, { 'Training steps': 2000 });
  await control(other, 'Training steps').blur();
  await other.getByText(/^About .* for 2,000 steps/).waitFor();
  assert.ok(Math.abs(await seconds() - 2 * thousand) <= 0.06 * thousand + 2, `${thousand} s, then ${await seconds()} s`);
  // It is about right: the first steps of it took what was said.
  const began = Date.now();
  await button(other, 'Train').click();
  await other.waitForFunction(() => Number(/step (\d+) of 2000/.exec(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext') ?? '')?.[1]) >= 100);
  const took = (Date.now() - began) / 1000, said = thousand / 10;
  await button(other, 'Cancel').click();
  await status(other).filter({ hasText: /^Cancelled/ }).waitFor();
  note(`100 steps took ${took} s, of which ${said} s were estimated`);
  assert.ok(took < 5 * said + 5 && took > said / 5, `${took} s for ${said} s`);
  assertFaultless(other);
});

test('the loss by timestep, samples as a film beside raw weights', async () => {
  const strip = page.getByRole('img', { name: 'Loss by timestep over 6 steps' });
  await strip.waitFor();
  await page.getByText(/^Lately the error is largest at t \d+ to \d+, [\d.]+, and smallest at t \d+ to \d+, [\d.]+\.$/).waitFor();
  await page.getByText('Table: loss by timestep').click();
  const cells = await page.locator('#strip-table td').allInnerTexts();
  assert.equal(cells.length, 60); // ten spans of t, six steps
  assert.equal(await page.locator('#strip-table th').count(), 17);
  const told = cells.filter((text) => text !== '–').length;
  assert.ok(told >= 6 && told <= 12, `${told} cells for twelve pictures`);
  // The cell of the largest loss is painted in full.
  const { data, width, height } = await strip.evaluate((/** @type {HTMLCanvasElement} */ of) => { const { data, width, height } = of.getContext('2d')?.getImageData(0, 0, of.width, of.height) ?? new ImageData(1, 1); return { data: [...data], width, height }; });
  assert.deepEqual([width, height, Math.max(...data.filter((_, i) => i % 4 === 3))], [6, 10, 255]);
  assert.equal(data.filter((alpha, i) => i % 4 === 3 && alpha > 0).length, told);

  const film = control(page, 'Samples over the training');
  assert.deepEqual([await film.getAttribute('max'), await film.getAttribute('aria-valuetext')], ['1', 'step 6']);
  const last = await pixels(canvas(page, 'A sample of the weights as they are'));
  await film.press('ArrowLeft');
  assert.equal(await film.getAttribute('aria-valuetext'), 'step 4');
  await page.getByText('Sample of the averaged network at step 4').waitFor();
  assert.notDeepEqual(await pixels(canvas(page, 'A sample of the weights as they are')), last);
  await film.press('ArrowRight');
  await page.getByText(/^Memorised\? There is one picture to learn, and the sample is [\d.]+ away/).waitFor();
  assert.equal(await canvas(page, 'The training picture nearest to the sample').isVisible(), false); // of one picture, it stands at the left
});

test('a second training is laid beside the first; its gradients in the open network', async () => {
  await settings(page, { 'Learning rate': 0.002, 'Training steps': 5, 'Error of a pixel': 'Its square' });
  await done(page, () => button(page, 'Train').click());
  assert.match(await page.locator('#train-values [data-v="block"]').innerText(), /^\S.*, [\d.]+(e|$)/);
  await page.getByText(/^Against training 1: training steps 6 → 5; learning rate 0\.001 → 0\.002; error of a pixel Its size, L₁ → Its square\. Mean loss at step 5: [\d.]+ then, [\d.]+ now\. The two losses do not measure the same\.$/).waitFor();
  const loss = page.getByRole('slider', { name: 'Loss by training step' });
  await loss.press('End');
  assert.match(await loss.getAttribute('aria-valuetext') ?? '', /^step 6: .*the training compared with [\d.]+$/);
  await control(page, 'Compare with').selectOption('None');
  assert.equal(await page.getByText(/^Against training/).isVisible(), false);
  // The network that learned is the one that is loaded: its layers have gradients.
  await settings(page, { Sampler: 'DDIM', Steps: 2, Count: 1 });
  await generate(page);
  await done(page, () => button(page, 'Look inside').click());
  assert.match(await page.locator('#u-gradient dd').innerText(), /^[\d.]+/);
  await settings(page, { 'Error of a pixel': 'Its size, L₁' });
});

test('a learning rate far too large is said after ten steps; the network can be opened while the training is paused', async ({ open }) => {
  const other = await open();
  await ready(other);
  await settings(other, { ...small, 'Training steps': 500, 'Sample every': 500, 'Learning rate': 1 });
  await button(other, 'Train').click();
  const warning = other.locator('#t-warning');
  await warning.filter({ hasText: /^The training diverges: over the last 10 steps .* A learning rate of 0\.3 in place of 1 usually mends that\.$/ }).waitFor();
  const step = Number(/^(\d+) of/.exec(await other.locator('#train-values [data-v="step"]').innerText())?.[1]);
  assert.ok(step < 100, `step ${step}`);
  assert.match(await other.locator('#train-values [data-v="block"]').innerText(), /, [\d.]/); // of the first sample
  await button(other, 'Pause').click();
  await status(other).filter({ hasText: /^Paused at step/ }).waitFor();
  await done(other, () => button(other, 'Look inside').click());
  assert.match(await other.locator('#u-gradient dd').innerText(), /^[\d.]+/);
  assertFaultless(other);
});

test('a file whose pictures the browser cannot show leaves no empty frame; a training that was kept is there to compare with', async ({ open }) => {
  const other = await open();
  await ready(other);
  const shown = canvas(other, 'A picture to train on');
  await shown.waitFor();
  await control(other, 'Choose training pictures').setInputFiles({ name: 'digits.npz', mimeType: '', buffer: Buffer.from('PK\x03\x04') });
  await status(other).filter({ hasText: 'Training on digits.npz. Press Train.' }).waitFor();
  assert.equal(await shown.isVisible(), false);
  await button(other, 'Use the forward chain’s picture').click();
  await shown.waitFor();
  await settings(other, { ...small, 'Training steps': 3, 'Sample every': 2 });
  await done(other, () => button(other, 'Train').click());
  await other.goto(other.url().split('#')[0]);
  await ready(other);
  await other.getByText(/A finished training is kept here/).waitFor();
  await settings(other, { ...small, 'Training steps': 2, 'Sample every': 1 });
  await done(other, () => button(other, 'Train').click());
  await other.getByText(/^Against training 1: training steps 3 → 2; sample every 2 → 1\. Mean loss at step 2: /).waitFor();
  assertFaultless(other);
});

test('beside samples of a network that learns several pictures, those that are nearest', async () => {
  const all = [255, 0].map((value) => png(16, 16, () => [value, value, value, 255]));
  await control(page, 'Choose training pictures').setInputFiles(all.map((buffer, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer })));
  await settings(page, { 'Training steps': 2, 'Sample every': 2 });
  await done(page, () => button(page, 'Train').click());
  await page.getByText(/^Memorised\? .*training pictures are 2\.000 from the nearest other one/).waitFor();
  const { data } = await pixels(canvas(page, 'The training picture nearest to the sample')), shown = [...data].filter((_, i) => i % 4 === 0 && data[i + 3] === 255);
  assert.ok(shown.length === 4 * 256 && shown.every((value) => value === 0 || value === 255), `${[...new Set(shown)]} in ${shown.length} pixels of black and white pictures`);
  await button(page, 'Use the forward chain’s picture').click();
});

test('pause, generate, resume, cancel', async () => {
  await settings(page, { 'Training steps': 1000, 'Sample every': 1000 });
  await button(page, 'Train').click();
  await stepped(page);
  await button(page, 'Pause').click();
  await status(page).filter({ hasText: /^Paused at step \d+ of 1000/ }).waitFor();
  assert.match(await generate(page), /^Done: 1 picture/);
  await button(page, 'Resume').click();
  await stepped(page);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor({ timeout: 20_000 });
  await page.getByText(/A training is kept here: step \d+ of 1000 on board\.png/).waitFor();
});

test('a page that was closed offers to go on, and to discard', async () => {
  await page.reload().then(() => ready(page));
  const offer = page.getByText(/A training is kept here: step \d+ of 1000 on board\.png/);
  await offer.waitFor();
  const step = Number(/step (\d+)/.exec(await offer.innerText())?.[1]);
  const end = outcome(page, () => button(page, 'Go on with the training').click());
  end.catch(() => {});
  await page.waitForFunction((step) => Number(/step (\d+) of 1000/.exec(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuetext') ?? '')?.[1]) > step, step, { timeout: 180_000 });
  await button(page, 'Cancel').click();
  await offer.waitFor();
  await button(page, 'Discard').click();
  await offer.waitFor({ state: 'hidden' });
  await page.reload().then(() => ready(page));
  assert.equal(await offer.isVisible(), false);
  assert.equal((await alert(page).innerText()).trim(), '');
});

test('the last sample of a training that was kept comes back with its step', async () => {
  await page.goto(page.url().split('#')[0]); // with settings in it, the page would begin with their picture
  await ready(page);
  await settings(page, { ...small, 'Training steps': 3, 'Sample every': 2 });
  await done(page, () => button(page, 'Train').click());
  await page.goto(page.url().split('#')[0]);
  await ready(page);
  await page.getByText(/A finished training is kept here: step 3 of 3 on the daisy/).waitFor();
  assert.equal(await page.getByText(/^Sample of the averaged network/).isVisible(), false);
  assert.match(await done(page, () => button(page, 'Go on with the training').click()), /^Done: 3 steps/);
  await page.getByText('Sample of the averaged network at step 3').waitFor();
  await page.getByText(/^Memorised\?/).waitFor();
});

test('a training that was kept and is damaged is refused by what is wrong with it, and can be discarded', async () => {
  await page.goto(page.url().split('#')[0]);
  const offer = page.getByText(/A finished training is kept here: step 3 of 3 on the daisy/);
  await offer.waitFor();
  await page.evaluate(() => new Promise((resolve, reject) => {
    const opening = indexedDB.open('pollen');
    opening.onerror = reject;
    opening.onsuccess = () => {
      const all = opening.result.transaction('training', 'readwrite'), store = all.objectStore('training'), found = store.get('checkpoint');
      found.onsuccess = () => { found.result[found.result.length - 100] ^= 1; store.put(found.result, 'checkpoint'); };
      all.oncomplete = () => { opening.result.close(); resolve(null); };
    };
  }));
  const { wrong } = await outcome(page, () => button(page, 'Go on with the training').click());
  assert.match(wrong ?? '', /^The training that is kept here cannot go on: the checkpoint is damaged, as its checksum shows\. Discard it, and train anew\./);
  await offer.waitFor();
  await button(page, 'Discard').click();
  await offer.waitFor({ state: 'hidden' });
});
