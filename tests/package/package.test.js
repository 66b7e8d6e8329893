// The npm package as others have it: its tarball (POLLEN_PACKAGE) in an empty Vite project, bundled without any
// configuration, and a digit in Chromium, by the API and by the element. Nothing is fetched but from this machine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { classify } from '../browser/support/classifier.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'pollen-package-'));
const HTML = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Another page</title>
<canvas></canvas><pollen-model src="models/mnist/" class-label="3" steps="10" seed="2"></pollen-model>
<script type="module" src="/main.js"></script></html>`;
const MAIN = `import { paint, Pollen } from 'pollen-diffusion';
import 'pollen-diffusion/element';
window.draw = async (options) => {
  const pollen = new Pollen();
  const model = await pollen.loadModel('models/mnist/');
  const made = await pollen.generate(options);
  paint(document.querySelector('canvas'), made);
  pollen.close();
  return { title: model.title, sample: [...made.sample] };
};`;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

let browser, server, page;
const faults = [];

before(async () => {
  const files = { 'package.json': '{"name":"empty","private":true,"type":"module"}', 'index.html': HTML, 'main.js': MAIN };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  mkdirSync(join(project, 'public'));
  cpSync(join(root, 'www/models/mnist'), join(project, 'public/models/mnist'), { recursive: true });
  const quiet = { cwd: project, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' };
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', process.env.POLLEN_PACKAGE], quiet);
  execFileSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--base', './'], quiet);
  server = createServer((request, answer) => {
    const path = new URL(request.url, 'http://localhost').pathname.slice(1);
    const file = join(project, 'dist', path === '' || path.endsWith('/') ? `${path}index.html` : path);
    if (!existsSync(file) || statSync(file).isDirectory()) return answer.writeHead(404).end();
    answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    return createReadStream(file).pipe(answer);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await chromium.launch({ executablePath: process.env.POLLEN_CHROMIUM ?? '/usr/bin/chromium', args: ['--disable-quic', '--no-first-run', '--disable-background-networking'] });
  page = await browser.newPage();
  page.setDefaultTimeout(180_000);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico')) faults.push(message.text()); });
  // Whether the weights are one file or several is found by asking for the index, which goes before the file as in diffusers.
  page.on('response', (answer) => { if (answer.status() >= 400 && !/favicon\.ico$|\.safetensors\.index\.json$/.test(answer.url())) faults.push(`${answer.status()} ${answer.url()}`); });
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(project, { recursive: true, force: true });
});

test('the bundle has the Worker and the WebAssembly as files of their own', () => {
  const assets = readdirSync(join(project, 'dist/assets'));
  assert.deepEqual(assets.filter((name) => name.endsWith('.wasm')).map((name) => name.split('_')[0]).sort(), ['arrays', 'pollen'], assets.join());
  assert.ok(assets.some((name) => /^worker-.*\.js$/.test(name)), assets.join());
});

test('its types are those of what it exports', () => {
  writeFileSync(join(project, 'typed.ts'), `import { paint, Pollen, type Model } from 'pollen-diffusion';
import { PollenModel } from 'pollen-diffusion/element';
const pollen = new Pollen();
const model: Model = await pollen.loadModel('models/mnist/');
paint(document.createElement('canvas'), await pollen.generate({ class: 1, seed: model.width, onStep: (step) => paint(document.createElement('canvas'), step) }));
const element: PollenModel = document.createElement('pollen-model');
const { rgba } = await element.generate();
pollen.close();
// @ts-expect-error: a digit is a number
await pollen.generate({ class: 'three', noise: rgba.length });
`);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--lib', 'esnext,dom', '--types', ''];
  execFileSync(process.execPath, [tsc, ...options, 'typed.ts'], { cwd: project, stdio: 'inherit' });
});

test('a digit on a canvas, by four lines of the API', async () => {
  const { title, sample } = await page.evaluate((options) => window.draw(options), { class: 7, seed: 1, steps: 10 });
  assert.match(title, /2\.7 M parameters|mnist/i);
  assert.equal(classify(Float32Array.from(sample)), 7);
  const drawn = await page.evaluate(() => {
    const canvas = document.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return { size: [canvas.width, canvas.height], reds: [...data].filter((_, i) => i % 4 === 0) };
  });
  assert.deepEqual(drawn.size, [28, 28]);
  const off = drawn.reds.map((red, i) => Math.abs(red - (Math.min(1, Math.max(-1, sample[i])) / 2 + 0.5) * 255));
  assert.ok(Math.max(...off) <= 1, `${Math.max(...off)}`);
});

test('the element is worked by keyboard, says what it does, and makes the seed its picture', async () => {
  const element = page.locator('pollen-model');
  const picture = element.getByRole('img', { name: 'No picture yet' });
  await picture.waitFor();
  const seed = element.getByRole('spinbutton', { name: 'Seed' });
  assert.equal(await seed.inputValue(), '2');
  const made = page.evaluate(() => new Promise((resolve) => {
    const element = document.querySelector('pollen-model'), seen = new Set();
    new MutationObserver(() => seen.add(element.shadowRoot.activeElement?.textContent)).observe(element.shadowRoot, { childList: true, subtree: true });
    element.addEventListener('generate', ({ detail }) => resolve({ sample: [...detail.sample], seen: [...seen] }));
  }));
  await seed.focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await element.getByRole('progressbar', { name: 'Progress' }).waitFor();
  const { sample, seen } = await made;
  assert.equal(classify(Float32Array.from(sample)), 3);
  assert.ok(seen.includes('Cancel'), `the focus stayed on the button: ${seen}`);
  await element.getByRole('status').filter({ hasText: /^Done: 10 steps/ }).waitFor();
  await element.getByRole('img', { name: /^Made by .* from seed 2$/ }).waitFor();
  assert.equal(await element.getByRole('progressbar').count(), 0);
});

test('the element stops, and says in a sentence what is wrong', async () => {
  const element = page.locator('pollen-model'), button = element.getByRole('button');
  await page.evaluate(() => document.querySelector('pollen-model').setAttribute('steps', '200'));
  await button.click();
  await element.getByRole('progressbar').waitFor();
  await button.filter({ hasText: 'Cancel' }).click();
  await element.getByRole('status').filter({ hasText: 'Cancelled.' }).waitFor();
  await button.filter({ hasText: 'Generate' }).waitFor();
  assert.deepEqual(faults, []);
  await element.getByRole('spinbutton').fill('-1');
  await button.click();
  await element.getByRole('alert').filter({ hasText: 'The seed must be a whole number' }).waitFor();
  await element.getByRole('spinbutton').fill('1');
  await page.evaluate(() => document.querySelector('pollen-model').setAttribute('src', 'models/none/'));
  await button.click();
  await element.getByRole('alert').filter({ hasText: /no model at .*models\/none/ }).waitFor();
});
