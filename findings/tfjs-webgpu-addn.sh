#!/usr/bin/env bash
# TensorFlow.js 4.22.0, its WebGPU backend: addN of eight tensors or more. Its kernel binds every tensor, and its device is made with
# the default limit of eight storage buffers a stage, the result among them, so that no kernel is made. Nothing is thrown: data() gives
# what lay in a reused buffer, here an earlier sum or zeros, and only the console has WebGPU's complaint. Seven tensors are right.
# Needs Chromium on PATH, or its path in CHROMIUM; the adapter is its SwiftShader. Tested with Debian's 156.0.8078.108 and
# playwright-core 1.65.1.
set -euo pipefail
chromium=${CHROMIUM:-$(command -v chromium || command -v chromium-browser)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts \
  playwright-core@1.65.1 @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-webgpu@4.22.0
cat > sums.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const args = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];
const browser = await chromium.launch({ executablePath: process.argv[2], args }), page = await browser.newPage();
let refused = 0;
page.on('console', (message) => { if (/number of storage buffers \(\d+\)/.test(message.text())) refused++; });
await page.route('https://page.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
await page.goto('https://page.test/');
for (const part of ['core', 'backend-cpu', 'backend-webgpu']) {
  await page.addScriptTag({ content: readFileSync(`node_modules/@tensorflow/tfjs-${part}/dist/tf-${part}.min.js`, 'utf8') });
}
const seen = await page.evaluate(async () => {
  const sums = {};
  for (const backend of ['cpu', 'webgpu']) {
    if (!await tf.setBackend(backend)) throw new Error(`there is no ${backend}`);
    sums[backend] = [];
    for (const count of [2, 7, 8, 16]) {
      const ones = Array.from({ length: count }, () => tf.fill([3], 1));
      sums[backend].push([count, (await tf.addN(ones).data())[0]]);
    }
  }
  return { version: tf.version_core, sums };
});
console.log(`TensorFlow.js ${seen.version}, Chromium ${browser.version()}, node ${process.version}`);
for (const [backend, sums] of Object.entries(seen.sums)) console.log(`${backend}: ${sums.map(([count, sum]) => `${count} ones are ${sum}`).join(', ')}`);
console.log(`pipelines that WebGPU refused: ${refused}`);
await browser.close();
const right = ([count, sum]) => count === sum, { cpu, webgpu } = seen.sums;
if (!cpu.every(right) || !webgpu.slice(0, 2).every(right) || webgpu.slice(2).some(right) || refused !== 2) {
  console.error('This is not what was seen before.');
  process.exit(1);
}
JS
node sums.mjs "$chromium" 2>&1 | grep -v -e '^=*$' -e '^Hi, looks like'
