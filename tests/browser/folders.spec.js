// The folders of tests/support/model-files.json, opened in the page: tests/model/table.rs opens the same natively.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from './support/harness.js';
import { objection, ready, status } from './support/page.js';
import { compose, parse } from './support/safetensors.js';
import { knowing, openFiles, SMALL, smallModel } from './support/small.js';
import { torchSave } from './support/torch.js';
import { zip } from './support/zip.js';

test.use({ gpu: false });

/** @type {{ cases: { name: string, files: Record<string, string>, used?: string[], warned?: string[], refused?: string[] }[] }} */
const { cases } = JSON.parse(readFileSync(new URL('../support/model-files.json', import.meta.url), 'utf8'));
const model = smallModel(), weights = model['diffusion_pytorch_model.safetensors'], tensors = parse(weights), torch = torchSave(tensors);

/** @param {string} kind */
function content(kind) {
  const [what, part] = kind.split(' ');
  if (what === 'index') return JSON.stringify({ weight_map: Object.fromEntries(Object.keys(tensors).map((name) => [name, part])) });
  const config = model['config.json'], lora = compose({ 'unet.to_q.lora_A.weight': { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) } });
  const texts = { marked: Buffer.concat([Buffer.from('\ufeff'), config]), wide: Buffer.from(`\ufeff${config}`, 'utf16le'), pointer: 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 885\n' };
  return { config, weights, torch, lora, ...texts, scheduler: '{"_class_name": "DDIMScheduler"}' }[what] ?? '?';
}

test('the page reads the same files of a folder as the command line, and says the same', async ({ open }) => {
  const page = await open({ serve: knowing() });
  await ready(page);
  const root = mkdtempSync(join(tmpdir(), 'pollen-folders-'));
  try {
    for (const { name, files, used, warned = [], refused = [] } of cases) {
      for (const [path, kind] of Object.entries(files)) {
        const at = join(root, name, path);
        mkdirSync(dirname(at), { recursive: true });
        writeFileSync(at, content(kind));
      }
      const choose = () => page.getByLabel('Checkpoint folder').setInputFiles(join(root, name));
      if (!used) {
        const said = await objection(page, choose);
        for (const part of refused) assert.ok(said.includes(part), `${name}: ${said}`);
        continue;
      }
      await choose();
      await status(page).filter({ hasText: new RegExp(`^Opened ${name}`) }).waitFor();
      const { read, said } = await page.evaluate(() => ({ read: window.pollen.files?.map(({ path }) => path), said: window.pollen.model?.warnings?.join(' ') ?? '' }));
      assert.deepEqual(read?.map((path) => path.slice(name.length + 1)).sort(), used, name);
      for (const part of warned) assert.ok(said.includes(part), `${name}: ${said}`);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a folder in a zip file is opened as it would be itself', async ({ open }) => {
  const page = await open({ serve: knowing() });
  await ready(page);
  for (const [i, { name, files, used, warned = [], refused = [] }] of cases.entries()) {
    const top = i % 2 ? 'main/' : '';
    const buffer = zip(Object.fromEntries(Object.entries(files).map(([path, kind]) => [top + path, Buffer.from(content(kind))])), { deflate: i % 3 > 0 });
    const choose = () => page.getByLabel('Checkpoint files').setInputFiles([{ name: `${name}.zip`, mimeType: '', buffer }]);
    if (!used) {
      const said = await objection(page, choose);
      for (const part of refused) assert.ok(said.includes(part), `${name}: ${said}`);
      continue;
    }
    await choose();
    await status(page).filter({ hasText: new RegExp(`^Opened ${name}`) }).waitFor();
    const { read, said } = await page.evaluate(() => ({ read: window.pollen.files?.map(({ path }) => path), said: window.pollen.model?.warnings?.join(' ') ?? '' }));
    assert.deepEqual(read?.map((path) => path.slice(`${name}.zip/${top}`.length)).sort(), used, name);
    for (const part of warned) assert.ok(said.includes(part), `${name}: ${said}`);
  }
});

test('a zip file is kept as the files of its model, generates as they do, and says what is wrong with it', async ({ open }) => {
  const page = await open({ serve: knowing(SMALL) });
  await ready(page);
  const whole = zip({ ...Object.fromEntries(Object.entries(model).map(([path, bytes]) => [`repo-main/unet/${path}`, bytes])), 'repo-main/scheduler/scheduler_config.json': '{"_class_name": "HeunDiscreteScheduler"}' }, { deflate: true });
  await openFiles(page, { 'repo.zip': whole }, /^Opened repo, whose self-test passed/);
  const kept = await page.evaluate(async () => {
    const { pollen } = window;
    const { id } = await pollen.keepModel();
    const { sampler } = await pollen.loadModel(`kept:${id}`), test = await pollen.selfTest();
    await pollen.forgetModel(id);
    return { sampler, test: test.state };
  });
  assert.deepEqual(kept, { sampler: 'heun', test: 'passed' });
  const bad = Buffer.from(whole);
  bad[90_000] ^= 1; // what comes of it are numbers all the same
  const flipped = zip(Object.fromEntries(Object.entries(model).map(([path, bytes]) => [`m/${path}`, Buffer.from(bytes)])));
  flipped[Math.floor(flipped.length / 2)] ^= 1;
  for (const [name, buffer, sentence] of /** @type {[string, Buffer, RegExp][]} */ ([
    ['cut.zip', whole.subarray(0, 9000), /cut\.zip.*no directory.*cut short/],
    ['torn.zip', bad, /torn\.zip\/repo-main\/unet\/\S+ is damaged: it cannot be unpacked/],
    ['flipped.zip', flipped, /flipped\.zip\/m\/\S+\.safetensors.*damaged.*checksum/],
    ['notes.zip', zip({ 'notes.txt': 'text' }), /there is no config\.json of a UNet2DModel/],
  ])) {
    const said = await objection(page, () => page.getByLabel('Checkpoint files').setInputFiles([{ name, mimeType: '', buffer }]));
    assert.match(said, sentence, name);
  }
});
