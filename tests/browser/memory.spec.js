// What opening a model costs: of what lies beside it nothing, of its own weights one copy.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from './support/harness.js';
import { growth } from './support/memory.js';
import { ready, status } from './support/page.js';
import { parameters } from './support/recipe.js';
import { knowing, SMALL, smallModel } from './support/small.js';

test.use({ gpu: false });
test.skip(process.platform !== 'linux', 'what processes hold is read from /proc');

const MB = 1e6, IDLE_MS = 2000;
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
 * Opens a folder on the page as a visitor does, and says what that cost.
 * @param {import('@playwright/test').Page} page
 * @param {string} name
 * @param {RegExp} sentence
 */
async function opening(page, name, sentence) {
  const browser = page.context().browser();
  assert.ok(browser);
  if (!(await page.getByLabel('Checkpoint folder').isVisible())) await page.getByText('Open another').click();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS)); // until the page is idle
  const cost = await growth(browser, async () => {
    await page.getByLabel('Checkpoint folder').setInputFiles(join(folder, name));
    await status(page).filter({ hasText: sentence }).waitFor();
  });
  console.log(`${name}: ${(cost.bytes / MB).toFixed()} MB more, ${cost.seconds.toFixed(1)} s`);
  return cost;
}

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

test('weights of 455 MB are held once', async ({ open }) => {
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
  write('large/config.json', config);
  write('large/diffusion_pytorch_model.safetensors', Buffer.concat([length, text]), 8 + text.length + end);
  const page = await open({ serve: knowing() });
  await ready(page);
  for (const time of ['first', 'second']) {
    const { bytes } = await opening(page, 'large', /^Opened large/);
    assert.ok(bytes <= 1.3 * end, `${bytes} bytes for the ${time} time`);
  }
});
