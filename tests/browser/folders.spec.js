// The folders of tests/support/model-files.json, opened in the page: tests/model/table.rs opens the same natively.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from './support/harness.js';
import { objection, ready, status } from './support/page.js';
import { parse } from './support/safetensors.js';
import { knowing, smallModel } from './support/small.js';
import { torchSave } from './support/torch.js';

test.use({ gpu: false });

/** @type {{ cases: { name: string, files: Record<string, string>, used?: string[], warned?: string[], refused?: string[] }[] }} */
const { cases } = JSON.parse(readFileSync(new URL('../support/model-files.json', import.meta.url), 'utf8'));
const model = smallModel(), weights = model['diffusion_pytorch_model.safetensors'], tensors = parse(weights), torch = torchSave(tensors);

/** @param {string} kind */
function content(kind) {
  const [what, part] = kind.split(' ');
  if (what === 'index') return JSON.stringify({ weight_map: Object.fromEntries(Object.keys(tensors).map((name) => [name, part])) });
  return { config: model['config.json'], weights, torch, scheduler: '{"_class_name": "DDIMScheduler"}' }[what] ?? '?';
}

test('the page reads the same files of a folder as the command line, and says the same', async ({ open }) => {
  const page = await open({ serve: knowing() });
  await ready(page);
  await page.getByText('Open another').click();
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
