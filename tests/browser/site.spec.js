// What any static host would serve: types, lengths, relative addresses, a policy that lets nothing out.
import assert from 'node:assert/strict';
import { address, test } from './support/harness.js';


test('files come with the types that browsers insist on', async () => {
  const types = {
    '': 'text/html; charset=utf-8',
    'index.html': 'text/html; charset=utf-8',
    'wasm/pollen.js': 'text/javascript; charset=utf-8',
    'wasm/pollen_bg.wasm': 'application/wasm',
    'models/index.json': 'application/json',
  };
  for (const [path, type] of Object.entries(types)) {
    const answer = await fetch(address + path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get('content-type'), type, path);
    assert.equal(Number(answer.headers.get('content-length')), (await answer.arrayBuffer()).byteLength, path);
  }
  assert.equal((await fetch(`${address}nothing`)).status, 404);
});

test('every shipped model lists its files with their size, and the first needs one download of at most 6 MB', async () => {
  const models = await (await fetch(`${address}models/index.json`)).json();
  assert.ok(models.length > 0);
  for (const { path, files, bytes } of models) {
    let sum = 0;
    for (const file of files) {
      const body = await (await fetch(`${address}${path}${file.name}`)).arrayBuffer();
      assert.equal(body.byteLength, file.bytes, file.name);
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', body)).toString('hex');
      assert.equal(hash, file.sha256, file.name);
      sum += body.byteLength;
    }
    assert.ok(Math.abs(sum - bytes) < 0.05 * sum, `${path} says ${bytes} bytes and has ${sum}`);
  }
  const weights = models[0].files.filter((/** @type {{ name: string }} */ { name }) => name.endsWith('.safetensors'));
  assert.equal(weights.length, 1);
  assert.ok(weights[0].bytes <= 6_000_000, `${weights[0].bytes} bytes`);
});

test('the page works from any folder: all it asks for is beside it', async ({ open }) => {
  const below = `${address}some/where/`;
  const page = await open({
    blank: true,
    serve: {
      [`${below}**`]: async (route) => {
        const response = await route.fetch({ url: route.request().url().replace('some/where/', '') });
        await route.fulfill({ response });
      },
    },
  });
  /** @type {string[]} */ const outside = [];
  page.on('request', (request) => { if (!request.url().startsWith(below) && !request.url().startsWith('blob:')) outside.push(request.url()); });
  await page.goto(below);
  await page.evaluate(() => window.pollen.ready);
  assert.deepEqual(outside, []);
});

test('the policy lets page and Worker talk to their own server only', async ({ open }) => {
  const page = await open();
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy" i]').getAttribute('content');
  assert.match(policy ?? '', /default-src 'none'/);
  assert.doesNotMatch(policy ?? '', /\*|https?:|'unsafe-inline'|'unsafe-eval'/);
  await page.evaluate(() => window.pollen.ready);
  const elsewhere = 'http://localhost:9/';
  const tryFetch = (/** @type {string} */ url) => fetch(url).then(() => 'allowed', (error) => error.message);
  const violation = page.evaluate(() => new Promise((resolve) => {
    addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
  }));
  assert.notEqual(await page.evaluate(tryFetch, elsewhere), 'allowed');
  assert.equal(await violation, 'connect-src');
  const inWorker = await page.workers()[0].evaluate((url) => new Promise((resolve) => {
    addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    fetch(url).catch(() => setTimeout(() => resolve('no violation'), 1000));
  }), elsewhere);
  assert.equal(inWorker, 'connect-src');
});
