// What opening a model costs: of what lies beside it nothing, of its own weights one copy.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { test } from './support/harness.js';
import { growth } from './support/memory.js';
import { ready, status } from './support/page.js';
import { parameters } from './support/recipe.js';
import { knowing, SMALL, smallModel } from './support/small.js';
import { zip } from './support/zip.js';

test.use({ gpu: false });
test.skip(process.platform !== 'linux', 'what processes hold is read from /proc');

const MB = 1e6, IDLE_MS = 2000;
const PASSING = 1.75; // of the bytes: what has passed by lies about until the browser collects it
/** @type {string} */ let folder;
test.beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'pollen-memory-')); });
test.afterAll(() => rmSync(folder, { recursive: true }));

/**
 * A file of the folder; with `bytes`, as long as that, with zeros that take no room on the disk.
 * @param {string} path
 * @param {string | Buffer} content
 * @param {number} [bytes]
 */
function write(path, content, bytes) {
  const at = join(folder, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, content);
  if (bytes) truncateSync(at, bytes);
}

/**
 * What `act` costs the page's browser once it is idle.
 * @param {import('@playwright/test').Page} page
 * @param {() => Promise<void>} act
 * @param {string} what
 */
async function costs(page, act, what) {
  const browser = page.context().browser();
  assert.ok(browser);
  if (!(await page.getByLabel('Checkpoint folder').isVisible())) await page.getByText('Open another').click();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS)); // until the page is idle
  const cost = await growth(browser, act);
  console.log(`${what}: ${(cost.bytes / MB).toFixed()} MB more, ${cost.seconds.toFixed(1)} s`);
  return cost;
}

/**
 * Opens a folder on the page as a visitor does, and says what that cost.
 * @param {import('@playwright/test').Page} page
 * @param {string} name
 * @param {RegExp} sentence
 */
const opening = (page, name, sentence) => costs(page, async () => {
  await page.getByLabel('Checkpoint folder').setInputFiles(join(folder, name));
  await status(page).filter({ hasText: sentence }).waitFor();
}, name);

test('of a training run only the model is read: not the optimizers, nor files of 2.5 and 5 GB', async ({ open }) => {
  const files = smallModel();
  for (const [name, content] of Object.entries(files)) write(`run/unet/${name}`, content);
  write('run/scheduler/scheduler_config.json', '{"_class_name": "DDIMScheduler"}');
  for (const step of [500, 1000, 1500]) {
    for (const [name, content] of Object.entries(files)) write(`run/checkpoint-${step}/unet/${name}`, content);
    write(`run/checkpoint-${step}/optimizer.bin`, 'PK\x03\x04', 600 * MB);
  }
  write('run/checkpoint-1500/pytorch_model.bin', 'PK\x03\x04', 5000 * MB);
  write('run/unet/random.safetensors', '?', 2500 * MB);
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  const { bytes } = await opening(page, 'run', /^Opened run, whose self-test passed/);
  assert.ok(bytes <= 150 * MB, `${bytes} bytes`);
  const own = await page.evaluate(() => window.pollen.files?.map(({ path }) => path).sort());
  assert.deepEqual(own, ['run/scheduler/scheduler_config.json', 'run/unet/config.json', 'run/unet/diffusion_pytorch_model.safetensors']);
});

/** A configuration and the header of its weights, of 455 MB, which are zeros. */
function large() {
  const config = readFileSync(new URL('../fixtures/shapes/ddpm-celebahq-256/config.json', import.meta.url));
  /** @type {Record<string, object>} */ const header = {};
  let end = 0;
  for (const [name, shape] of Object.entries(parameters(JSON.parse(String(config))))) {
    const begin = end;
    end += 4 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  assert.equal(Math.round(end / MB), 455);
  const text = Buffer.from(JSON.stringify(header)), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return { config, start: Buffer.concat([length, text]), bytes: 8 + text.length + end, end };
}

test('weights of 455 MB are held once', async ({ open }) => {
  const { config, start, bytes: all, end } = large();
  write('large/config.json', config);
  write('large/diffusion_pytorch_model.safetensors', start, all);
  const page = await open({ serve: knowing() });
  await ready(page);
  for (const time of ['first', 'second']) {
    const { bytes } = await opening(page, 'large', /^Opened large/);
    assert.ok(bytes <= 1.3 * end, `${bytes} bytes for the ${time} time`);
  }
});

test('weights of 455 MB from another server are not held beside the engine, and are fetched again where they are needed again', async ({ open }) => {
  const { config, start, bytes: all, end } = large(), piece = Buffer.alloc(1 << 20);
  /** @type {string[]} */ const asked = [];
  const server = createServer(async (request, answer) => {
    const name = request.url?.split('/').at(-1) ?? '', weights = name === 'diffusion_pytorch_model.safetensors';
    asked.push(name);
    answer.writeHead(weights || name === 'config.json' ? 200 : 404, { 'access-control-allow-origin': '*', 'content-length': weights ? all : name === 'config.json' ? config.length : 0 });
    if (name === 'config.json') answer.write(config);
    if (weights) answer.write(start);
    for (let left = weights ? all - start.length : 0; left > 0 && !answer.destroyed; left -= piece.length) {
      if (!answer.write(piece.subarray(0, Math.min(left, piece.length)))) await new Promise((resolve) => {
        const go = () => { answer.off('drain', go).off('close', go); resolve(null); };
        answer.on('drain', go).on('close', go);
      });
    }
    answer.end();
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(null)); });
  try {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const page = await open({ serve: knowing() });
    await ready(page);
    for (const time of ['first', 'second']) {
      const { bytes } = await costs(page, async () => {
        await page.getByLabel('Address of a folder').fill(`http://127.0.0.1:${port}/large/`);
        await page.getByLabel('Address of a folder').press('Enter');
        await status(page).filter({ hasText: /^Opened large/ }).waitFor();
      }, 'by address');
      assert.ok(bytes <= PASSING * end, `${bytes} bytes for the ${time} time`);
    }
    const again = await costs(page, async () => {
      await page.evaluate(async () => { await window.pollen.loadModel(window.pollen.files ?? []); });
    }, 'from its address again');
    assert.ok(again.bytes <= PASSING * end, `${again.bytes} bytes for the third time`);
    assert.equal(asked.filter((name) => name === 'diffusion_pytorch_model.safetensors').length, 3);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('nor are weights of 455 MB in a zip file that are deflated', async ({ open }) => {
  const { config, start, bytes: all, end } = large();
  // Random numbers are hardly smaller when they are deflated; these are not at all.
  const whole = Buffer.concat([start, Buffer.alloc(all - start.length)]), deflated = deflateRawSync(whole, { level: 0 });
  write('zipped/large.zip', zip({ 'large-main/config.json': config, 'large-main/diffusion_pytorch_model.safetensors': { deflated, size: all, crc: crc32(whole) } }, { deflate: true }));
  const page = await open({ serve: knowing() });
  await ready(page);
  const { bytes } = await opening(page, 'zipped', /^Opened zipped/);
  assert.ok(bytes <= PASSING * end, `${bytes} bytes`);
});
