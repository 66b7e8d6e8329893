// Training data that is no picture: the page reads what the command line reads, and says the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { share, test } from './support/harness.js';
import { button, control, outcome, ready, settings, status } from './support/page.js';
import { zip } from './support/zip.js';

test.use({ gpu: false }); // a step of training is a fraction of a second on the processor

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {Record<string, string>} files in base64
 * @property {[number, number]} size
 * @property {number} channels
 * @property {'folders' | 'none'} [asked]
 * @property {boolean} [unlabelled]
 * @property {string} [pixels]
 * @property {number} [pictures]
 * @property {number[] | null} labels
 * @property {string[]} classes
 * @property {string[]} [notes]
 * @property {boolean} [silent] nothing is said
 * @property {string} [error]
 */

/** @type {Case[]} */
const CASES = JSON.parse(readFileSync(new URL('../fixtures/arrays.json', import.meta.url), 'utf8'));
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

const SMALL = { 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels', 'Pictures a step': 2, 'Training steps': 1 };
const chosen = (/** @type {string} */ name, /** @type {Buffer} */ buffer) => ({ name, mimeType: '', buffer });
const content = (/** @type {string} */ name, /** @type {string} */ file) => {
  const found = CASES.find((of) => of.name === name)?.files[file];
  assert.ok(found, `${name}: ${file}`);
  return Buffer.from(found, 'base64');
};

test('the command line’s table', async () => {
  const read = await page.evaluate(async (cases) => {
    const panel = new URL('sections/train/data.js', location.href).href;
    /** @type {typeof import('../../www/sections/train/data.js')} */ const { gather } = await import(panel);
    return Promise.all(cases.map(async ({ files: named, size: [height, width], channels, asked, unlabelled }) => {
      try {
        const files = Object.entries(named).map(([path, text]) => Object.assign(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], path.split('/').at(-1) ?? ''), { path }));
        const arrays = await window.pollen.readArrays(files, { height, width, channels, labels: asked, unlabelled });
        if (arrays) return { ...arrays, labels: arrays.labels ?? null, pixels: btoa(String.fromCharCode(...arrays.pixels)), pictures: arrays.pixels.length / (channels * height * width), error: null };
        const { data, count, notes } = await gather(files, { edge: height, channels, labels: asked ?? 'folders', asItIs: false }, () => {});
        return { labels: data.labels ?? null, pixels: btoa(String.fromCharCode(...data.pixels)), pictures: count, classes: data.classes ?? [], notes, error: null };
      } catch (error) {
        const { name, message } = /** @type {Error} */ (error);
        return { labels: null, pixels: null, pictures: 0, classes: [], notes: [], error: `${name}: ${message}` };
      }
    }));
  }, CASES);
  assert.ok(CASES.length >= 40);
  for (const [i, { name, pixels, pictures, labels, classes, notes = [], silent, error }] of CASES.entries()) {
    const given = read[i];
    if (error) {
      assert.ok(given.error?.startsWith('InputError: ') && given.error.includes(error), `${name}: ${given.error}`);
      continue;
    }
    assert.deepEqual([given.error, given.labels, given.classes], [null, labels, classes], name);
    if (pixels) assert.equal(given.pixels, pixels, name);
    else assert.equal(given.pictures, pictures, name);
    if (silent) assert.deepEqual(given.notes, [], name);
    for (const note of notes) assert.ok(given.notes.some((sentence) => sentence.includes(note)), `${name}: ${given.notes.join(' | ')}`);
  }
});

test('claims of sizes are not believed, and what is damaged in a zip file is left out by its name', async () => {
  const png = content('a zip file of class folders', 'flowers.zip');
  const answers = await page.evaluate(async (files) => {
    const said = [];
    for (const [name, text] of files) {
      const file = new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name);
      said.push(await window.pollen.unzip(file).then(({ files, notes }) => `${files.map(({ path }) => path).join()} ${notes.join()}`, ({ name, message }) => `${name}: ${message}`));
      said.push(await window.pollen.readArrays([file], { channels: 1, height: 4, width: 4 }).then(String, ({ name, message }) => `${name}: ${message}`));
    }
    return said;
  }, /** @type {[string, Buffer][]} */ ([
    ['many.zip', zip({ 'a.png': { deflated: Buffer.from([3, 0]), size: 2 ** 31, crc: 0 } })],
    ['huge.npz', zip({ 'images.npy': { deflated: Buffer.from([3, 0]), size: 2 ** 31, crc: 0 } })],
    ['liar.npz', zip({ 'images.npy': { deflated: Buffer.from([3, 0]), size: 2 ** 28, crc: 0 } })],
    ['half.zip', zip({ 'a.png': png, 'b.png': { deflated: Buffer.from([3, 0]), size: 10, crc: 0 } })],
    ['cut.zip', png.subarray(0, png.length - 40)],
  ]).map(([name, bytes]) => [name, bytes.toString('base64')]));
  const [many, manyArrays, , huge, , liar, half, halfArrays, cut, cutArrays] = answers;
  assert.match(many, /^InputError: many\.zip says that 2147483648 bytes come of it, and 1073741824 are unpacked/);
  assert.equal(manyArrays, 'null');
  assert.match(huge, /^InputError: huge\.npz\/images\.npy has 2147483648 bytes, more than the 1073741824/);
  assert.match(liar, /^InputError: liar\.npz\/images\.npy.*(ends early|cannot be unpacked)/);
  assert.match(half, /^a\.png half\.zip\/b\.png.*left out/);
  assert.equal(halfArrays, 'null');
  for (const said of [cut, cutArrays]) assert.match(said, /^InputError: cut\.zip is no zip file that can be read/);
});

test('the panel trains on arrays and on zip files, with their classes', async () => {
  await ready(page);
  const files = control(page, 'Choose training pictures');
  await settings(page, SMALL);
  const train = async (/** @type {ReturnType<typeof chosen>[]} */ given, /** @type {RegExp} */ taken) => {
    await files.setInputFiles(given);
    await status(page).filter({ hasText: taken }).waitFor();
    return outcome(page, () => button(page, 'Train').click());
  };
  const name = 'pathmnist.npz';
  const done = await train([chosen(name, content('MedMNIST: three splits, labels in a column', name))], /^Training on pathmnist\.npz/);
  assert.equal(done.wrong ?? '', '');
  await page.getByText(/3 colour pictures of 4×4, uint8; 3 classes: 0 \(1 picture\)/).waitFor();
  await page.getByText('As the network sees it: the first of 3 pictures').waitFor();
  assert.deepEqual(await page.evaluate(() => window.pollen.model && [window.pollen.model.any, window.pollen.model.classes?.length]), [3, 3]);
  const four = CASES.find((of) => of.name === 'MNIST\'s four files, gzipped')?.files ?? {};
  assert.equal((await train(Object.entries(four).map(([name, text]) => chosen(name, Buffer.from(text, 'base64'))), /^4 files/)).wrong ?? '', '');
  await page.getByText(/Only train-images-idx3-ubyte\.gz is trained on; left out: t10k-images-idx3-ubyte\.gz/).waitFor();
  assert.equal((await train([chosen('flowers.zip', content('a zip file of class folders', 'flowers.zip'))], /^Training on flowers\.zip/)).wrong ?? '', '');
  await page.getByText(/2 classes: rose \(2 pictures\), tulip \(1 picture\), by folder/).waitFor();
  const refused = await train([chosen('tensor.pt', content('PyTorch\'s file', 'tensor.pt'))], /^Training on tensor\.pt/);
  assert.match(refused.wrong ?? '', /tensor\.pt is PyTorch's file.*numpy\.savez/);
});
