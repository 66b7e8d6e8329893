// Models from other servers: a folder by its address, and all that can be wrong with one.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { address as site, test } from './support/harness.js';
import { alert, button, canvas, control, generate, objection, pixels, ready, settings, status } from './support/page.js';
import { SAVED } from '../../www/files/addresses.js';
import { BESIDE, files, FOLDERS, torch, WEIGHTS } from './support/elsewhere.js';
import { knowing, openFiles, SMALL } from './support/small.js';

test.use({ gpu: false });

/** @import { Answer } from './support/elsewhere.js' */

/** @type {import('node:http').Server} */ let server;
let base = '';
/** @type {import('node:http').IncomingMessage[]} */ const asked = [];
const portOf = (/** @type {import('node:http').Server} */ listening) => /** @type {import('node:net').AddressInfo} */ (listening.address()).port;
test.beforeAll(async () => {
  server = createServer((request, answer) => {
    asked.push(request);
    const [, folder, ...path] = (request.url ?? '').split('/');
    /** @type {Answer} */
    const { status, body, headers, cut, hang } = FOLDERS[folder]?.[path.join('/')] ?? { status: 404, body: 'no', headers: {} };
    /** @type {Answer['headers']} */ const all = { 'access-control-allow-origin': '*', ...headers };
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    answer.writeHead(status, all);
    answer.write(body, () => {
      if (cut) answer.destroy();
      else if (!hang) answer.end();
    });
  });
  await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)));
  base = `http://127.0.0.1:${portOf(server)}/`;
});
test.afterAll(() => { server.closeAllConnections(); server.close(); });

/**
 * @param {import('@playwright/test').Page} page
 * @param {string} address
 */
async function openAddress(page, address) {
  if (!(await control(page, 'Address of a folder').isVisible())) await page.getByText('Open another').click();
  await control(page, 'Address of a folder').fill(address);
  await control(page, 'Address of a folder').press('Enter');
}

test('a folder of another server is opened, tested, and generates; only its files were asked for, and nothing was told', async ({ open }) => {
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  asked.length = 0;
  await openAddress(page, `${base}good`);
  await status(page).filter({ hasText: /^Opened good, whose self-test passed/ }).waitFor();
  await settings(page, { Steps: 2, Count: 1 });
  assert.match(await generate(page), /^Done/);
  for (const { url, method, headers } of asked) {
    assert.match(`${method} ${url}`, /^GET (\/good)?\/scheduler\/scheduler_config\.json$|^GET \/good\/(config|scheduler_config|labels)\.json$|^GET \/good\/diffusion_pytorch_model\.safetensors(\.index\.json)?$/);
    assert.equal(headers.cookie ?? headers.referer ?? headers.authorization, undefined);
  }
  assert.equal(await page.locator('iframe').count(), 0);
});

test('a link to a picture of such a model asks before anything is fetched, then opens it with the settings of the link', async ({ open }) => {
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  await openAddress(page, `${base}good`);
  await status(page).filter({ hasText: /^Opened good, whose self-test passed/ }).waitFor();
  await settings(page, { Sampler: 'DDIM', Steps: 2, Count: 1, Seed: 9 });
  await generate(page);
  const wanted = new URLSearchParams(new URL(page.url()).hash.slice(1));
  assert.deepEqual([wanted.get('model'), wanted.get('models.address'), wanted.get('seed')], ['opened', `${base}good`, '9']);
  const samples = (/** @type {import('@playwright/test').Page} */ of) => pixels(canvas(of, 'The samples x t'));
  const made = await samples(page);
  asked.length = 0;
  const other = await open({ path: new URL(page.url()).hash, serve: knowing(SMALL) });
  await ready(other);
  await alert(other).filter({ hasText: `The link is to a picture of a model that its sender opened from ${base}good. That server would learn that you were here; nothing has been asked of it yet.` }).waitFor();
  assert.deepEqual(asked, []);
  assert.equal(new URLSearchParams(new URL(other.url()).hash.slice(1)).get('models.address'), `${base}good`); // until another model is chosen
  await button(other, 'Open the model').click();
  await status(other).filter({ hasText: /^Opened good, whose self-test passed/ }).waitFor();
  await other.waitForFunction(() => /** @type {HTMLInputElement} */ (document.getElementById('r-seed')).value === '9');
  assert.deepEqual([await control(other, 'Steps').inputValue(), await control(other, 'Sampler').inputValue()], ['2', 'ddim']);
  await generate(other);
  assert.deepEqual((await samples(other)).data, made.data);
  assert.equal(new URL(other.url()).hash, new URL(page.url()).hash);
  // Another model came from elsewhere.
  await control(other, 'Model').selectOption({ index: 0 });
  await other.waitForFunction(() => !location.hash.includes('models.address'));
});

test('a pipeline\'s folder, its own solver, a server that answers every question with a page, weights in parts', async ({ open }) => {
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  await openAddress(page, `${base}pipeline/`);
  await status(page).filter({ hasText: /^Opened pipeline/ }).waitFor();
  assert.equal(await control(page, 'Sampler').inputValue(), 'heun');
  await openAddress(page, `${base}page-for-all/config.json`);
  await status(page).filter({ hasText: /^Opened page-for-all/ }).waitFor();
  await openAddress(page, `${base}sharded/`);
  await status(page).filter({ hasText: /^Opened sharded, whose self-test passed/ }).waitFor();
});

test('what lies beside a model and above it is looked at, as on the disk, by few questions', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [i, { name, open: inside = '.', files: there, sampler, average, says }] of BESIDE.entries()) {
    const averaged = Object.keys(there).find((folder) => there[folder] === 'average') ?? '?';
    asked.length = 0;
    const { model, paths } = await page.evaluate(async (address) => {
      const model = await window.pollen.loadModel(address);
      return { model, paths: window.pollen.files?.map(({ path }) => path) ?? [] };
    }, `${base}beside-${i}/${inside === '.' ? '' : inside}`);
    const said = model.warnings?.join(' ') ?? '';
    assert.equal(model.sampler, sampler, name);
    assert.equal(said === '', says.length === 0, `${name}: ${said}`);
    for (const part of says) assert.ok(said.includes(part), `${name}: ${part} is not in ${said}`);
    assert.equal(paths.some((path) => `${inside}/${path}`.endsWith(`${averaged}/${WEIGHTS}`)), Boolean(average), name);
    assert.ok(asked.length <= 13, `${name}: ${asked.map(({ url }) => url)}`);
    assert.equal(new Set(asked.map(({ url }) => url)).size, asked.length, 'no question twice');
  }
  // What was above is kept with the rest.
  const run = BESIDE.findIndex(({ open: inside }) => inside === 'checkpoint-500/unet');
  const said = await page.evaluate(async (address) => {
    const { pollen } = window;
    await pollen.loadModel(address);
    const { id } = await pollen.keepModel();
    const { sampler, warnings } = await pollen.loadModel(`kept:${id}`);
    await pollen.forgetModel(id);
    return { sampler, warnings, left: (await (await caches.open('pollen-models')).keys()).length };
  }, `${base}beside-${run}/checkpoint-500/unet`);
  assert.equal(said.sampler, BESIDE[run].sampler);
  assert.match(said.warnings?.join(' ') ?? '', /scheduler_config\.json was taken/);
  assert.equal(said.left, 0);
});

test('weights under the names of other years, and in PyTorch\'s own format: by address and from the disk', async ({ open }) => {
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  for (const [folder, path = ''] of [['sharded-fp16'], ['sharded-2024'], ['torch'], ['torch-fp16'], ['torch-named', '/my-model.ckpt']]) {
    await openAddress(page, base + folder + path);
    await status(page).filter({ hasText: new RegExp(`^Opened ${folder}, whose self-test passed`) }).waitFor();
  }
  for (const name of ['a.pt', 'b.pth', 'c.ckpt', 'pytorch_model.bin']) {
    await openFiles(page, { 'config.json': files['config.json'], [name]: torch }, new RegExp(`^Opened ${name}, whose self-test passed`));
  }
  const warnings = await page.evaluate(() => window.pollen.model?.warnings?.join(' '));
  assert.match(warnings ?? '', /`state_dict`.*`module\.`/);
});

test('what can be wrong is said in a sentence, and the page goes on with the model it had', async ({ open }) => {
  const page = await open();
  await ready(page);
  const unused = `http://127.0.0.1:${await new Promise((resolve) => { const s = createServer().listen(0, () => { const port = portOf(s); s.close(() => resolve(port)); }); })}/x/`;
  /** @type {[string, RegExp][]} */
  const bad = [
    ['nothing', /no model at .*nothing\/: it has no config\.json, nor has a folder unet_ema, unet, ema_unet or ema in it.*404/],
    ['page', /config\.json is a web page \(HTML\)/],
    ['no-weights', new RegExp(`no weights.*404.*${SAVED.join(', ').replaceAll('.', '\\.')}`)],
    ['pickle', /\.bin/],
    ['code', /diffusion_pytorch_model\.bin.*collections\.Counter.*nothing is run/],
    ['truncated', /safetensors stopped arriving after \d+ of \d+ bytes/],
    ['short', /safetensors/],
    ['closed', /127\.0\.0\.1:\d+ does not let other sites read config\.json.*CORS/],
    [unused, /does not answer/],
    ['http://192.0.2.1/model/', /https only/],
    ['ftp://example.org/', /no address/],
    ['model', /no address/],
  ];
  for (const [folder, sentence] of bad) {
    const address = folder in FOLDERS || folder === 'nothing' ? base + folder : folder;
    const said = await objection(page, () => openAddress(page, address));
    assert.match(said, sentence, folder);
    assert.match(said, /[.!?]\s*(Close)?$/, folder);
    assert.equal(await control(page, 'Model').locator('option:checked').innerText(), 'MNIST digits', folder);
  }
  await settings(page, { Sampler: 'DDIM', Steps: 1, Count: 1 });
  assert.match(await generate(page), /^Done/);
});

test('Cancel stops a download', async ({ open }) => {
  const page = await open();
  await ready(page);
  await openAddress(page, `${base}stuck`);
  await status(page).filter({ hasText: /^Fetching/ }).waitFor();
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled/ }).waitFor();
  assert.equal(await page.locator('iframe').count(), 0);
});

test('the frame that asks other servers has a policy of its own and obeys this page alone', async ({ open }) => {
  const page = await open({ path: 'fetch.html' });
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy" i]').getAttribute('content');
  assert.match(policy ?? '', /default-src 'none'.*connect-src https: http:\/\/localhost:\* http:\/\/127\.0\.0\.1:\*/);
  const blocked = await page.evaluate(() => new Promise((resolve) => {
    addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
    fetch('http://192.0.2.1/').catch(() => setTimeout(() => resolve('no violation'), 1000));
  }));
  assert.equal(blocked, 'connect-src');
  asked.length = 0;
  // Its own window is not its parent's: a message from anyone but the page that holds it is left unread.
  await open({ blank: true }).then(async (other) => {
    await other.goto(`${base}nothing`);
    await other.evaluate((src) => /** @type {Promise<void>} */ (new Promise((resolve) => {
      const frame = Object.assign(document.createElement('iframe'), { src });
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve();
      frame.onload = () => {
        frame.contentWindow?.postMessage(null, '*', [port2]);
        port1.postMessage({ url: location.href });
        setTimeout(resolve, 500);
      };
      document.body.append(frame);
    })), `${site}fetch.html`);
  });
  assert.equal(asked.filter(({ url }) => url === '/nothing').length, 1);
});
