// Taking it away and bringing it back: files with their settings, films, code.
import assert from 'node:assert/strict';
import { chunks, text, textOf } from '../../www/files/chunks.js';
import { drop, saved, settingsIn } from './support/files.js';
import { address, assertFaultless, share, test } from './support/harness.js';
import { alert, button, canvas, control, done, generate, objection, ready, settings, status, upload } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */
/** @type {Page} */ let page;
share((opened) => { page = opened; });

test('a PNG brings its run back on another page, the same to the byte: the end, a step, eight times as large, an animation', async ({ open }) => {
  await settings(page, { Class: '3', Sampler: 'Euler ancestral', Steps: 5, Seed: 7, Count: 2 });
  await control(page, 'Guidance').fill('2.5');
  await generate(page);
  const end = await saved(page, 'Save as PNG'), film = await saved(page, 'Save as APNG');
  await control(page, 'Frame').fill('3');
  const step = await saved(page, 'Save at 8×');
  const { pollen, sha256, ...rest } = settingsIn(step.bytes);
  assert.deepEqual(rest, { model: 'mnist', class: 3, guidance: 2.5, seed: 7, sampler: 'euler-a', steps: 5, count: 2, title: 'MNIST digits', file: 'png', scale: 8, step: 3 });
  assert.match(pollen, /^\d+\.\d+\.\d+$/);
  const models = await (await fetch(`${address}models/index.json`)).json();
  assert.equal(sha256, models[0].files.at(-1).sha256);
  assert.equal(textOf(step.bytes, 'Software'), `Pollen ${pollen}`);

  const other = await open();
  await ready(other);
  for (const [file, name, frame] of /** @type {const} */ ([[end, 'Save as PNG', '5'], [step, 'Save at 8×', '3'], [film, 'Save as APNG', '5']])) {
    await settings(other, { Sampler: 'DDIM', Seed: 1, Count: 1 });
    await drop(other, file);
    await status(other).filter({ hasText: `Done: ${file.name} is here again, the same to the byte.` }).waitFor();
    assert.equal(await control(other, 'Frame').inputValue(), frame);
    const again = await saved(other, name);
    assert.equal(again.name, file.name);
    assert.deepEqual(again.bytes, file.bytes);
  }
  // Or it is chosen.
  await settings(other, { Seed: 2 });
  await done(other, () => control(other, 'Bring a run back from its PNG').setInputFiles({ name: end.name, mimeType: 'image/png', buffer: end.bytes }));
  await status(other).filter({ hasText: 'the same to the byte' }).waitFor();
  // On the forward chain a sample is a picture.
  await drop(other, end, '#forward-frame');
  await canvas(other, `The picture before any noise: ${end.name}`).waitFor();
  assertFaultless(other);
});

test('a file that carries no settings, of other weights, of a model that is not there', async () => {
  const [ihdr] = chunks(page ? (await saved(page, 'Save as PNG')).bytes : new Uint8Array());
  assert.equal(ihdr.type, 'IHDR');
  const { bytes } = await saved(page, 'Save as PNG');
  const carrying = (/** @type {object} */ changes) => Buffer.concat([bytes.subarray(0, 33), text('pollen', JSON.stringify({ ...settingsIn(bytes), ...changes })), bytes.subarray(33)]);
  const choose = (/** @type {Buffer} */ buffer) => control(page, 'Bring a run back from its PNG').setInputFiles({ name: 'it.png', mimeType: 'image/png', buffer });
  const bare = Buffer.concat([bytes.subarray(0, 33), bytes.subarray(bytes.indexOf('IDAT') - 4)]);
  assert.match(await objection(page, () => choose(bare)), /“it\.png” carries no settings/);
  const wrong = 'f'.repeat(64);
  await choose(carrying({ sha256: wrong }));
  await alert(page).filter({ hasText: /it\.png was made with other weights than those of MNIST digits here: their SHA-256 is ffffffffffff…/ }).waitFor();
  await choose(carrying({ seed: 8 }));
  await alert(page).filter({ hasText: 'it.png has been made again from its settings, and the picture differs.' }).waitFor();
  await choose(carrying({ model: 'opened', title: 'Größe', sha256: wrong }));
  await alert(page).filter({ hasText: 'it.png was made with Größe, whose weights have the SHA-256 ffffffffffffffff…, which this page does not have' }).waitFor();
});

test('films: an APNG and a GIF with a frame for each step and its time', async () => {
  await settings(page, { Sampler: 'DDIM', Steps: 5, Count: 1 });
  await generate(page);
  await control(page, 'Speed').selectOption('6');
  const film = await saved(page, 'Save as APNG'), parts = chunks(film.bytes), of = (/** @type {string} */ type) => parts.filter((part) => part.type === type);
  assert.equal(film.name, 'pollen-mnist-class3-ddim-5steps-seed7-film.png');
  assert.deepEqual(parts.map(({ type }) => type), ['IHDR', 'tEXt', 'tEXt', 'acTL', 'fcTL', 'IDAT', ...Array(5).fill(['fcTL', 'fdAT']).flat(), 'IEND']);
  assert.deepEqual([...of('acTL')[0].data], [0, 0, 0, 6, 0, 0, 0, 0]);
  const number = (/** @type {Uint8Array} */ data, /** @type {number} */ at) => Buffer.from(data).readUInt32BE(at);
  assert.deepEqual([...of('fcTL'), ...of('fdAT')].map(({ data }) => number(data, 0)).sort((a, b) => a - b), [...Array(11).keys()]);
  for (const [i, { data }] of of('fcTL').entries()) assert.deepEqual([number(data, 4), number(data, 8), number(data, 20)], [504, 504, i === 5 ? 0x20001 : 0x10006], `frame ${i}`);

  const gif = await saved(page, 'Save as GIF');
  assert.equal(gif.bytes.toString('latin1', 0, 6), 'GIF89a');
  assert.deepEqual([gif.bytes.readUInt16LE(6), gif.bytes.readUInt16LE(8), gif.bytes.at(-1)], [504, 504, 0x3b]);
  assert.deepEqual(delays(gif.bytes), [17, 16, 17, 17, 16, 200]);
  // The browser's own decoder sees the same pictures in both.
  const frames = await page.evaluate(async (files) => Promise.all(files.map(async ([type, bytes]) => {
    const decoder = new ImageDecoder({ type, data: new Uint8Array(bytes) }), hashes = [];
    await decoder.tracks.ready;
    await decoder.completed;
    for (let i = 0; i < (decoder.tracks.selectedTrack?.frameCount ?? 0); i++) {
      const { image } = await decoder.decode({ frameIndex: i }), canvas = new OffscreenCanvas(504, 504), context = canvas.getContext('2d');
      context?.drawImage(image, 0, 0);
      const { data } = /** @type {ImageData} */ (context?.getImageData(0, 0, 504, 504));
      hashes.push(data.reduce((sum, value, at) => (sum * 31 + value * (at % 4 === 3 ? 0 : 1)) >>> 0, 7));
    }
    return hashes;
  })), /** @type {[string, number[]][]} */ ([['image/png', [...film.bytes]], ['image/gif', [...gif.bytes]]]));
  assert.equal(new Set(frames[0]).size, 6);
  assert.deepEqual(frames[0], frames[1]);
});

/** The delays of a GIF's frames, in hundredths of a second. */
function delays(/** @type {Buffer} */ gif) {
  const table = (/** @type {number} */ flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  /** @type {number[]} */ const found = [];
  for (let at = 13 + table(gif[10]); gif[at] !== 0x3b;) {
    if (gif[at] === 0x21) {
      if (gif[at + 1] === 0xf9) found.push(gif.readUInt16LE(at + 4));
      at += 2;
    } else {
      assert.equal(gif[at], 0x2c);
      at += 10 + table(gif[at + 9]) + 1;
    }
    while (gif[at]) at += gif[at] + 1;
    at += 1;
  }
  return found;
}

test('the forward chain as files; a step of it comes back, in a jump and by the chain', async ({ open }) => {
  await settings(page, { 'Schedule of β': 'Cosine in ᾱ', 'Length T': 30, 'Size, pixels': 32 });
  await control(page, 'Seed of the noise').press('Enter'); // Diffuse, by the form
  await done(page, async () => {});
  await control(page, /** @type {any} */ (/^Timestep t/)).fill('12');
  const walked = await saved(page, 'Save this step');
  assert.deepEqual([walked.name, settingsIn(walked.bytes).way, settingsIn(walked.bytes)['forward.T']], ['pollen-forward-t12.png', 'chain', '30']);
  await control(page, 'In one jump from x0, not step by step').check();
  const jumped = await saved(page, 'This step at 8×');
  assert.notDeepEqual(chunks(walked.bytes).at(-2), chunks(jumped.bytes).at(-2));
  const film = await saved(page, 'Film as APNG');
  assert.ok(chunks(film.bytes).filter(({ type }) => type === 'fcTL').length > 20);
  const other = await open();
  await ready(other);
  for (const [file, name] of /** @type {const} */ ([[walked, 'Save this step'], [jumped, 'This step at 8×'], [film, 'Film as APNG']])) {
    await drop(other, file, '#forward-frame');
    await status(other).filter({ hasText: `Done: ${file.name} is here again, the same to the byte.` }).waitFor();
    assert.deepEqual((await saved(other, name)).bytes, file.bytes);
  }
  await upload(other, 'walked.png', walked.bytes); // a picture again
  await canvas(other, 'The picture before any noise: walked.png').waitFor();
  await drop(other, walked);
  await alert(other).filter({ hasText: 'It was made from another picture than the one that is here.' }).waitFor();
  assertFaultless(other);
});

test('the command and the script say all that the picture depends on', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await settings(page, { Class: '3', Sampler: 'DPM-Solver++ 2M', Steps: 4, Seed: -7, Count: 2 });
  await control(page, 'Guidance').fill('2');
  await page.getByRole('checkbox', { name: /^Keep/ }).check();
  await generate(page);
  const copied = async (/** @type {string} */ name) => {
    await button(page, name).click();
    await status(page).filter({ hasText: name.includes('command') ? /^The command is on the clipboard/ : /^The Python script is on the clipboard/ }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(await copied('Copy as pollen command'), 'pollen sample www/models/mnist --sampler dpmpp-2m --steps 4 --seed -7 --count 2 --class 3 --guidance 2 --clip --output pollen-mnist-class3-dpmpp-2m-4steps-seed-7.png');
  const script = await copied('Copy as diffusers code');
  for (const line of ['DPMSolverMultistepScheduler.from_config(json.loads((MODEL / "scheduler_config.json").read_text()), sample_max_value=1, thresholding=True)',
    'scheduler.set_timesteps(4)', 'generator = torch.Generator().manual_seed(-7)', 'predicted = free + 2 * (predicted - free)', `SITE = "${address}models/mnist/"`]) assert.ok(script.includes(line), line);
});

test('where the browser hands files on, the picture can be shared, with its settings in it; elsewhere there is no such button', async ({ open }) => {
  assert.equal(await button(page, 'Share').count(), 0);
  const phone = await open({ blank: true });
  await phone.addInitScript(() => {
    const taken = /** @type {File[]} */ ([]);
    Object.assign(globalThis, { taken, refuse: '' });
    Object.assign(navigator, {
      canShare: (/** @type {ShareData} */ { files }) => files?.length === 1 && files[0].type === 'image/png',
      share: async (/** @type {ShareData} */ { files }) => { const { refuse } = /** @type {any} */ (globalThis); if (refuse) throw new DOMException('It was not to be.', refuse); taken.push(...(files ?? [])); },
    });
  });
  await phone.goto(page.url().split('#')[0]);
  await ready(phone);
  await settings(phone, { Class: '3', Sampler: 'DDIM', Steps: 2, Seed: 7, Count: 1 });
  assert.ok(await button(phone, 'Share').isDisabled());
  await generate(phone);
  await button(phone, 'Share').press('Enter');
  await phone.waitForFunction(() => /** @type {any} */ (globalThis).taken.length === 1);
  const { name, bytes } = await phone.evaluate(async () => { const [file] = /** @type {any} */ (globalThis).taken; return { name: file.name, bytes: [...new Uint8Array(await file.arrayBuffer())] }; });
  const large = await saved(phone, 'Save at 8×');
  assert.deepEqual([name, Buffer.from(bytes)], [large.name, large.bytes]);
  assert.equal(settingsIn(large.bytes).seed, 7);
  // To share with nobody is no fault; what else is, is said.
  await phone.evaluate(() => { /** @type {any} */ (globalThis).refuse = 'AbortError'; });
  await button(phone, 'Share').click();
  await phone.waitForTimeout(200);
  assert.equal(await alert(phone).innerText(), '');
  await phone.evaluate(() => { /** @type {any} */ (globalThis).refuse = 'NotAllowedError'; });
  await button(phone, 'Share').click();
  await alert(phone).filter({ hasText: 'It was not to be.' }).waitFor();
  assertFaultless(phone);
});
