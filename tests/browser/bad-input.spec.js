// What visitors, networks and devices do wrong: a sentence each, and a page that goes on.
import assert from 'node:assert/strict';
import { address, test } from './support/harness.js';
import { hugePng, png } from './support/images.js';
import { button, control, diffuse, generate, objection, ready, settings, upload } from './support/page.js';
import { compose, parse } from './support/safetensors.js';

test.use({ gpu: false }); // the same reading and checking, sooner done on the processor
const WEIGHTS = 'diffusion_pytorch_model.safetensors';
const fetchFile = async (/** @type {string} */ name) => Buffer.from(await (await fetch(`${address}models/mnist/${name}`)).arrayBuffer());

test('files that are no pictures', async ({ open }) => {
  const page = await open();
  await ready(page);
  const whole = png(64, 64, () => [255, 0, 0, 255]);
  /** @type {[string, Buffer, RegExp][]} */
  const bad = [
    ['notes.png', Buffer.from('this is no picture'), /notes\.png.*not a picture/],
    ['empty.png', Buffer.alloc(0), /empty\.png.*empty/],
    ['huge.png', hugePng(20_000), /huge\.png.*20.?000 × 20.?000.*limit/],
  ];
  for (const [name, bytes, sentence] of bad) {
    assert.match(await objection(page, () => upload(page, name, bytes, 'image/png')), sentence);
  }
  await upload(page, 'good.png', whole, 'image/png');
  await control(page, 'Length T').fill('10');
  assert.match(await diffuse(page), /^Done.*good\.png/);
});

/**
 * Presses Generate while what matches `glob` is answered by `handler`; then undisturbed.
 * @param {(options: import('./support/harness.js').Opening) => Promise<import('@playwright/test').Page>} open
 * @param {string} glob
 * @param {(route: import('@playwright/test').Route) => unknown} handler
 * @param {RegExp} sentence
 */
async function disturbed(open, glob, handler, sentence) {
  let bad = true;
  const page = await open({ serve: { [glob]: (route) => (bad ? handler(route) : route.fallback()) } });
  await ready(page);
  await settings(page, { Steps: 1, Count: 1 });
  const said = await objection(page, () => button(page, 'Generate').click());
  assert.match(said, sentence);
  assert.match(said, /[.!?]/);
  bad = false;
  assert.match(await generate(page), /^Done/);
}

const weights = `**/models/mnist/${WEIGHTS}`;

test('shipped weights that are missing on the server', ({ open }) => disturbed(open, weights, (route) => route.fulfill({ status: 404, body: 'no' }), /404/));

test('shipped weights that stop half-way', ({ open }) => disturbed(open, weights, async (route) => {
  const body = await fetchFile(WEIGHTS);
  await route.fulfill({ headers: { 'content-length': String(body.length) }, body: body.subarray(0, body.length / 2) });
}, /safetensors stopped arriving after \d+ of \d+ bytes/));

test('shipped weights whose connection breaks', ({ open }) => disturbed(open, weights, (route) => route.abort('connectionreset'), /safetensors/));

test('shipped weights with one bit changed', ({ open }) => disturbed(open, weights, async (route) => {
  const body = await fetchFile(WEIGHTS);
  body[body.length - 1000] ^= 1;
  await route.fulfill({ body });
}, /SHA-256/));

test('shipped weights over plain HTTP, where the browser keeps its SHA-256 from the page: the engine’s finds the changed bit', async ({ open }) => {
  const page = await open({ serve: {
    '**/files/digest.js': (route) => route.fulfill({ contentType: 'text/javascript', body: 'export const sha256 = async () => null;' }),
    [weights]: async (route) => {
      const body = await fetchFile(WEIGHTS);
      body[1000] ^= 1;
      await route.fulfill({ body });
    },
  } });
  await ready(page);
  assert.match(await page.evaluate(() => window.pollen.loadModel('models/mnist/').then(() => '', (error) => error.message)), /SHA-256/);
  await page.context().unroute(weights);
  assert.equal((await page.evaluate(() => window.pollen.loadModel('models/mnist/'))).title, 'MNIST digits');
});

test('a shipped configuration that is not what was recorded', ({ open }) => disturbed(open, '**/models/mnist/config.json', async (route) => {
  await route.fulfill({ contentType: 'application/json', body: `${await fetchFile('config.json')} ` });
}, /config\.json/));

/**
 * Gives `files` to the page as the visitor's own model; the sentence of the error, or null.
 * @param {import('@playwright/test').Page} page
 * @param {Record<string, Uint8Array>} files
 */
async function loadOwn(page, files) {
  const sent = Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]);
  return page.evaluate(async (sent) => {
    const files = sent.map(([name, base64]) => new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
    return window.pollen.loadModel(files).then(() => null, (error) => error.message);
  }, sent);
}

test('models that are damaged or not what they say', async ({ open }) => {
  const page = await open();
  await ready(page);
  const config = await fetchFile('config.json');
  const good = await fetchFile(WEIGHTS);
  const edited = (/** @type {(tensors: ReturnType<typeof parse>) => void} */ edit) => {
    const tensors = parse(good);
    edit(tensors);
    return compose(tensors);
  };
  const flipped = Buffer.from(good);
  for (const at of [9, 60, 200]) flipped[at] ^= 0x41;
  const long = Buffer.from(good);
  long.writeBigUInt64LE(1n << 60n);
  /** @type {[string, Buffer, RegExp][]} */
  const cases = [
    ['cut short', good.subarray(0, good.length - 1000), /safetensors/],
    ['cut inside the header', good.subarray(0, 100), /safetensors/],
    ['empty', Buffer.alloc(0), /safetensors/],
    ['bits flipped in the header', flipped, /safetensors/],
    ['a header longer than the file', long, /safetensors/],
    ['a missing tensor', edited((tensors) => { delete tensors['conv_in.bias']; }), /conv_in\.bias/],
    ['a tensor of another shape', edited((tensors) => { tensors['conv_in.weight'].shape.reverse(); }), /conv_in\.weight/],
  ];
  for (const [name, bytes, sentence] of cases) {
    const said = await loadOwn(page, { 'config.json': config, [WEIGHTS]: bytes });
    assert.match(said ?? 'no error', sentence, name);
    assert.match(said ?? '', /[.!?]$/, name);
  }
  assert.match(await loadOwn(page, { 'config.json': Buffer.from('{'), [WEIGHTS]: good }), /config\.json/);
  assert.match(await loadOwn(page, { [WEIGHTS]: good }), /config\.json/);
  assert.equal(await loadOwn(page, { 'config.json': config, [WEIGHTS]: good }), null);
  await settings(page, { Steps: 1, Count: 1 });
  assert.match(await generate(page), /^Done/);
});

test('numbers out of range', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [name, bad, good] of [['Steps', '0', '1'], ['Steps', '1001', '1'], ['Seed', '1.5', '0'], ['Seed', '-9007199254740993', '0'], ['Count', '17', '1'], ['Count', '', '1']]) {
    await settings(page, { [name]: bad });
    assert.match(await objection(page, () => button(page, 'Generate').click()), /from .* to /, `${name} ${bad}`);
    await settings(page, { [name]: good });
  }
  assert.match(await generate(page), /^Done/);
});
