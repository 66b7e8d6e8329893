// What is made between the chains, saved as a PNG, comes back on another page, the same to the byte; a square among pictures' noises.
import assert from 'node:assert/strict';
import { slerp } from '../../www/ui/slerp.js';
import { drop, saved, settingsIn } from './support/files.js';
import { assertFaultless, share, test } from './support/harness.js';
import { alert, button, control, done, generate, objection, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */
/** @type {Page} */ let page;
/** @type {Page} */ let other; // on which the files are dropped
share((opened) => { page = opened; });
test.beforeAll(async () => {
  other = await page.context().newPage();
  await other.goto(page.url().split('#')[0]);
  await ready(other);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
});

const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
const size = (/** @type {Buffer} */ png) => [png.readUInt32BE(16), png.readUInt32BE(20)];
const grey = async (/** @type {string} */ name) => (await pixels(page.getByRole('img', { name, exact: true }))).data.filter((_, i) => i % 4 === 0);

/**
 * Saves what is there, drops it on the other page, and saves it there again.
 * @param {string} what as the button names it
 */
async function thereAndBack(what) {
  const name = `Save as PNG: ${what}`, file = await saved(page, name);
  await drop(other, file);
  await status(other).filter({ hasText: `Done: ${file.name} is here again, the same to the byte.` }).waitFor();
  // There the picture is called by its file's name or as it was: the button is the only one of its kind.
  const again = await saved(other, await other.getByRole('button', { name: /^Save as PNG: / }).last().getAttribute('aria-label') ?? '');
  assert.deepEqual(again.bytes.length > 100, true);
  return { ...file, settings: settingsIn(file.bytes) };
}

/**
 * Its link on a new page, where its button makes it again.
 * @param {{ bytes: Buffer }} file
 * @param {string} what as the buttons name it
 * @param {string} make
 */
async function byLink({ bytes }, what, make) {
  await button(page, `Copy link: ${what}`).click();
  await status(page).filter({ hasText: `The link is on the clipboard. Whoever opens it and presses “${make}” gets the same picture.` }).waitFor();
  const there = await page.context().newPage();
  await there.goto(await page.evaluate(() => navigator.clipboard.readText()));
  await ready(there); // its settings are in the fields
  await status(there).filter({ hasText: `Press “${make}”` }).waitFor();
  assert.ok(await button(there, make).evaluate((element) => { const { top, bottom } = element.getBoundingClientRect(); return top > 0 && bottom < innerHeight; }));
  await done(there, () => button(there, make).click());
  assert.deepEqual((await saved(there, `Save as PNG: ${what}`)).bytes, bytes);
  assertFaultless(page);
  await there.close();
}

test('the table, the way from seed to seed and the square of four seeds', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Seed: 7, Count: 1 });
  await control(page, 'Guidance').fill('1.5');
  await settings(page, { 'Seeds side by side': 3, 'Guidances, one below the other': '1, 2' });
  await press('Fill the table');
  const table = await thereAndBack('the table of seeds and guidances');
  assert.deepEqual([table.name, ...size(table.bytes)], ['pollen-table-mnist-seed7-3x2.png', 84, 56]);
  assert.deepEqual([table.settings.chain, table.settings['grid.guidances'], table.settings['grid.columns'], table.settings.seed, table.settings.sampler], ['table', '1, 2', 3, 7, 'ddim']);
  await byLink(table, 'the table of seeds and guidances', 'Fill the table');
  await control(page, 'The other seed').fill('9');
  await press('Walk there');
  const walk = await thereAndBack('the way from seed 7 to seed 9');
  assert.deepEqual([walk.name, ...size(walk.bytes)], ['pollen-walk-mnist-seed7-seed9.png', 224, 28]);
  await control(page, 'Across').fill('25');
  await press('Show the four corners');
  const square = await thereAndBack('the square of four');
  assert.deepEqual([...size(square.bytes), square.settings['square.across'], square.settings['square.down'], square.bytes[25]], [84, 84, 25, 50, 6]); // with alpha beside the corners
  await control(page, 'Down').fill('0');
  await page.getByRole('img', { name: 'The picture at 25 % across and 0 % down', exact: true }).waitFor();
  assert.equal((await thereAndBack('the square of four')).settings['square.down'], 0);
});

test('a drawing finished, its noise and back, the futures of a run', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 4, Seed: 7, Count: 2 });
  await page.getByRole('application', { name: /^Draw here/ }).focus();
  for (const key of [' ', ...Array(6).fill('ArrowDown'), 'ArrowRight', ' ']) await page.keyboard.press(key);
  await control(page, 'Strength').fill('50');
  await press('Finish it');
  const finished = await thereAndBack('your drawing, finished');
  assert.deepEqual([...size(finished.bytes), finished.settings['between.strength'], finished.settings.name], [56, 28, '50', 'your drawing']);
  await byLink(finished, 'your drawing, finished', 'Finish it');
  await control(page, 'Steps each way').fill('6');
  await press('Find its noise and come back');
  const inverted = await thereAndBack('your drawing, its noise, and back');
  assert.deepEqual([inverted.name, ...size(inverted.bytes), inverted.settings['inversion.steps'], inverted.settings.class], ['pollen-inversion-mnist-6steps.png', 84, 28, 6, 3]);
  await generate(page);
  await control(page, 'Frame').fill('2');
  await control(page, 'Seed of the fresh noise').fill('5');
  const [, t] = /from t = (\d+)/.exec(await press('Branch from the film’s frame')) ?? [];
  const branch = await thereAndBack(`the futures from t = ${t} of seed 7, fresh noise 5`);
  assert.deepEqual([...size(branch.bytes), branch.settings['film.frame'], branch.settings['branch.fresh']], [140, 28, 2, 5]);
  assert.equal(await control(other, 'Frame').inputValue(), '2');
  await byLink(branch, `the futures from t = ${t} of seed 7, fresh noise 5`, 'Branch from the film’s frame');
  // One that is damaged, and one of a part that is not there.
  const broken = Buffer.from(inverted.bytes.toString('latin1').replace(/"picture":"[^"]{20}/, `"picture":"${'!'.repeat(20)}`), 'latin1');
  await drop(other, { name: 'broken.png', bytes: broken });
  await alert(other).filter({ hasText: 'broken.png was saved here, but a picture that it was made from is damaged in it.' }).waitFor();
  await drop(other, { name: 'later.png', bytes: Buffer.from(inverted.bytes.toString('latin1').replace('"chain":"inversion"', '"chain":"elsewhere"'), 'latin1') });
  await alert(other).filter({ hasText: 'later.png was made by a part of Pollen that this page does not have.' }).waitFor();
});

test('a square among the noises of two pictures and two seeds: its corners are those, the point is between them by slerp', async () => {
  await control(page, 'Corners').selectOption({ label: 'The noises found last, seeds for the rest' });
  await settings(page, { Class: '7', Seed: 20, Count: 1 });
  await button(page, 'Clear the drawing').click();
  await press('Find its noise and come back'); // after that of the drawing, of the test before
  await control(page, 'Across').fill('0');
  assert.match(await press('Show the four corners'), /^Done: the pictures of the noise of your drawing, the noise of the example, seed 20, seed 21 in/);
  const apart = (/** @type {number[]} */ a, /** @type {number[]} */ b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
  // The road of the first picture leads back from all corners: its own is what came of its noise.
  const corner = await grey('Corner 1: the noise of your drawing'), below = await grey('Corner 3: seed 20');
  await control(page, 'Down').fill('100');
  assert.ok(apart(await grey('The picture at 0 % across and 100 % down'), below) < 0.5);
  await control(page, 'Down').fill('0');
  assert.ok(apart(await grey('The picture at 0 % across and 0 % down'), corner) < 0.5 && apart(corner, below) > 5);
  // Halfway along the upper edge: what the engine makes of the slerp of the two noises, found again.
  const square = await thereAndBack('the square of four');
  assert.deepEqual(square.settings.found.map((/** @type {any} */ { name, picture, ...rest }) => [name, rest, picture.length > 100]), [['your drawing', { 'inversion.steps': 6, class: 3 }, true], ['the example', { 'inversion.steps': 6, class: 7 }, true]]);
  const noises = await page.evaluate(async (seeds) => Promise.all(seeds.map(async (seed) => [...await window.pollen.randn({ seed, shape: [1, 1, 28, 28] })])), [20, 21]);
  const half = slerp(Float32Array.from(noises[0]), Float32Array.from(noises[1]), 0.5);
  const wanted = await page.evaluate(async (noise) => {
    const { rgba } = await window.pollen.generate({ sampler: 'ddim', steps: 6, class: 3, count: 1, scheduler: { clip_sample: false, thresholding: false }, noise: Float32Array.from(noise) });
    return [...rgba].filter((_, i) => i % 4 === 0);
  }, [...half]);
  await control(page, 'Across').fill('50');
  await control(page, 'Down').fill('100');
  assert.ok(apart(await grey('The picture at 50 % across and 100 % down'), wanted) < 0.5);
  // The walk between them carries both pictures as well.
  await control(page, 'Between').selectOption({ label: 'The noises of the last two pictures' });
  await press('Walk there');
  assert.equal((await thereAndBack('the way from your drawing to the example')).settings.found.length, 2);
  await button(page, 'Copy link: the way from your drawing to the example').click();
  await status(page).filter({ hasText: 'does not carry your drawing and the example, only the settings. The PNG that is saved carries pictures and masks.' }).waitFor();
  const fresh = await page.context().newPage();
  await fresh.goto(page.url().split('#')[0]);
  await ready(fresh);
  await control(fresh, 'Corners').selectOption({ label: 'The noises found last, seeds for the rest' });
  assert.match(await objection(fresh, () => button(fresh, 'Show the four corners').click()), /No noise of a picture is found for this model/);
  assertFaultless(page);
});
