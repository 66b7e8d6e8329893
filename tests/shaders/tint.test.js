// Chromium's shader compiler over every text that tests/shaders/main.rs has left in POLLEN_SHADERS: Dawn without an
// adapter, driver or browser. Browsers get WGSL that no naga has seen, so a native pass proves nothing for them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { create } from 'webgpu';

const folder = process.env.POLLEN_SHADERS;
// Held for good: the module crashes when it is collected before the device.
globalThis.gpu = create(['backend=null']);
const device = await (await gpu.requestAdapter()).requestDevice();

/** What Tint finds wrong with a text, warnings included, or with a pipeline made of it. */
async function complaints(code) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  if (!messages.length) device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  const error = await device.popErrorScope();
  if (!messages.length && error) return [error.message];
  return messages.map(({ type, lineNum, message }) => `${type} in line ${lineNum}: ${message}`);
}

test('a text that is wrong is found to be', async () => {
  const wrong = '@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }';
  assert.match((await complaints(wrong)).join(), /error in line 1/);
  const large = 'var<workgroup> a: array<f32, 5000>; @compute @workgroup_size(1) fn main() { a[0] = 1.0; }';
  assert.match((await complaints(large)).join(), /workgroup/);
});

/** The files of each kernel. */
const kernels = {};
for (const file of readdirSync(folder)) (kernels[file.replace(/-\d+\.wgsl$/, '')] ??= []).push(file);

for (const [name, files] of Object.entries(kernels)) {
  test(`${name}, ${files.length} variant${files.length === 1 ? '' : 's'}`, async () => {
    for (const file of files) assert.deepEqual(await complaints(readFileSync(join(folder, file), 'utf8')), [], file);
  });
}
