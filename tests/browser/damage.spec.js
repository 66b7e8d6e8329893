// Pictures that are cut short: a browser paints what is missing, so the page looks at the bytes first.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { share, test } from './support/harness.js';
import { png } from './support/images.js';
import { alert, button, control, diffuse, objection, outcome, ready, settings, status, upload } from './support/page.js';

const FOLDER = new URL('../fixtures/pictures/', import.meta.url);
/** @type {[string, Buffer][]} */
const PICTURES = readdirSync(FOLDER).map((name) => [name, readFileSync(new URL(name, FOLDER))]);
const named = (/** @type {string} */ name) => PICTURES.find(([file]) => file === name)?.[1] ?? Buffer.alloc(0);
const TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif' };
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

/**
 * What `pictureDamage` says of each file.
 * @param {[string, Buffer][]} files
 */
const judged = (files) => page.evaluate(async (files) => {
  const all = files.map(([name, bytes]) => new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
  return Promise.all(all.map((file) => window.pollen.pictureDamage(file)));
}, files.map(([name, bytes]) => /** @type {[string, string]} */ ([name, bytes.toString('base64')])));

test('whole pictures are whole, whatever follows them', async () => {
  assert.ok(PICTURES.length >= 13);
  const longer = PICTURES.map(([name, bytes]) => /** @type {[string, Buffer]} */ ([name, Buffer.concat([bytes, named('baseline.jpg')])]));
  const said = await judged([...PICTURES, ...longer]);
  assert.deepEqual(said.filter((damage) => damage !== null), []);
});

test('pictures that are cut short are damaged', async () => {
  const cuts = PICTURES.flatMap(([name, bytes]) => [0.35, 0.6, 0.9, 1 - 2 / bytes.length].map((part) => /** @type {[string, Buffer]} */ ([name, bytes.subarray(0, Math.round(part * bytes.length))])));
  const said = await judged(cuts);
  for (const [i, [name, bytes]] of cuts.entries()) assert.match(said[i] ?? 'whole', /cut short or damaged/, `${name}, ${bytes.length} bytes`);
});

test('the verdicts are the command line’s', async () => {
  /** @type {{ name: string, file: string, keep?: number, zeros?: number, flip?: number, append?: number, damaged: boolean }[]} */
  const cases = JSON.parse(readFileSync(new URL('../fixtures/damage.json', import.meta.url), 'utf8'));
  assert.ok(cases.length >= 30);
  const files = cases.map(({ file, keep = 1, zeros = 1, flip = 1, append = 0 }) => {
    const bytes = Buffer.concat([named(file).subarray(0, Math.floor(keep * named(file).length)), Buffer.alloc(append, 0xa7)]);
    if (zeros < 1) bytes.fill(0, Math.floor(zeros * named(file).length));
    if (flip < 1) bytes[Math.floor(flip * named(file).length)] ^= 0x55;
    return /** @type {[string, Buffer]} */ ([file, bytes]);
  });
  const said = await judged(files);
  for (const [i, { name, damaged }] of cases.entries()) assert.equal(said[i] !== null, damaged, `${name}: ${said[i]}`);
  // What is called whole is a picture for this browser, too.
  const whole = files.filter((_, i) => !cases[i].damaged).map(([, bytes]) => bytes.toString('base64'));
  assert.deepEqual(await page.evaluate((all) => Promise.all(all.map((text) => createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))])).then(({ width, height }) => `${width}×${height}`, String))), whole), whole.map(() => '48×40'));
});

test('an upload is refused by its name, with the choice to use it', async () => {
  await ready(page);
  await settings(page, { 'Length T': 3 });
  for (const name of ['baseline.jpg', 'colour.png', 'lossy.webp', 'still.gif']) {
    const bytes = named(name), type = TYPES[/** @type {keyof typeof TYPES} */ (name.split('.')[1])];
    const said = await objection(page, () => upload(page, `cut-${name}`, bytes.subarray(0, Math.round(bytes.length * 0.6)), type));
    assert.match(said, new RegExp(`cut-${name}.*cut short or damaged`));
  }
  const bytes = named('baseline.jpg');
  await objection(page, () => upload(page, 'half.jpg', bytes.subarray(0, 900), 'image/jpeg'));
  assert.match(await diffuse(page), /^Done.*the daisy/, 'what was refused is not used');
  await objection(page, () => upload(page, 'half.jpg', bytes.subarray(0, 900), 'image/jpeg'));
  await button(page, 'Use it as it is').click();
  await status(page).filter({ hasText: /^Opened half\.jpg/ }).waitFor();
  assert.equal((await alert(page).innerText()).trim(), '');
  assert.match(await diffuse(page), /^Done.*half\.jpg/);
  await upload(page, 'thumbnail.jpg', named('thumbnail.jpg'), 'image/jpeg');
  assert.match(await diffuse(page), /^Done.*thumbnail\.jpg/);
});

test('a single picture to train on is refused, and several are trained on without the damaged ones', async () => {
  const files = control(page, 'Choose training pictures'), cut = named('baseline.jpg').subarray(0, 900);
  const file = (/** @type {string} */ name, /** @type {Buffer} */ buffer) => ({ name, mimeType: 'image/png', buffer });
  const said = await objection(page, () => files.setInputFiles([file('half.jpg', cut)]));
  assert.match(said, /half\.jpg.*cut short/);
  await button(page, 'Use it as it is').click();
  await status(page).filter({ hasText: /^Training on half\.jpg/ }).waitFor();
  const good = png(16, 16, (x, y) => [17 * x, 17 * y, 128, 255]);
  await files.setInputFiles([file('rose_1.png', good), file('rose_2.png', cut), file('tulip_1.png', good)]);
  await status(page).filter({ hasText: /^3 files/ }).waitFor();
  await settings(page, { Labels: 'The names up to the first _, as in rose_001.png', 'Training steps': 1, 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels' });
  const ended = await outcome(page, () => button(page, 'Train').click());
  assert.match(ended.wrong ?? '', /1 of 3 pictures are damaged or cannot be read, and are left out: rose_2\.png/);
  await page.getByText(/2 classes: rose \(2 pictures\), tulip \(1 picture\)/).waitFor();
});
