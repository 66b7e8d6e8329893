// The browser's part of `cargo xtask bench`, which builds, serves, installs and exports what this needs, and reads what it writes: one
// Chromium, one page, all engines in it. Every pass is on the page's thread, and its time runs until the output is in JavaScript.
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from '@playwright/test';

/**
 * As xtask writes it. `folder` has node_modules/ and onnx/, and gets result.json. `adapter` is `own` or `software`.
 * @type {{ url: string, chromium: string, folder: string, adapter: string, models: string[], repeats: number, growth: boolean, training: boolean }}
 */
const plan = JSON.parse(process.env.POLLEN_BENCH ?? '{}');
/** Rounds of an engine on a software adapter, where a pass takes seconds. */
const FEW = 3;
/** Pixels a side, and pictures at a time, over which times are to grow. */
const SIZES = [32, 64, 128, 256], BATCHES = [1, 2, 4, 8, 16];
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.html': 'text/html' };
const SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];

const browser = await chromium.launch({ executablePath: plan.chromium, args: plan.adapter === 'software' ? SOFTWARE : ['--enable-unsafe-webgpu', '--enable-features=Vulkan'] });
const page = await browser.newPage();
page.on('pageerror', (error) => console.log(`error in the page: ${error.message}`));
const begun = Date.now();
const say = (/** @type {string} */ text) => console.log(`${String(Math.round((Date.now() - begun) / 1000)).padStart(5)} s  ${text}`);
await page.route('**/bench/**', async (route) => {
  const path = normalize(decodeURIComponent(new URL(route.request().url()).pathname)).slice('/bench/'.length);
  if (path === 'index.html') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' });
  const file = path.startsWith('page/') ? join(import.meta.dirname, path) : join(plan.folder, path);
  const body = await readFile(file).catch(() => null);
  return body ? route.fulfill({ body, contentType: TYPES[extname(file)] ?? 'application/octet-stream' }) : route.fulfill({ status: 404, body: '' });
});
await page.goto(`${plan.url}bench/index.html`);
const call = (/** @type {string} */ name, /** @type {any} */ argument, file = 'measure') => page.evaluate(
  async ([file, name, argument]) => (await import(`/bench/page/${file}.js`))[name](argument), [file, name, argument]);

const adapter = await call('adapter');
say(`Chromium ${browser.version()}, ${adapter ? `adapter ${[adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ')}` : 'no adapter'}`);
const GPU = ['Pollen, WebGPU', 'onnxruntime-web, WebGPU', 'TensorFlow.js, WebGPU'], WASM = ['Pollen, processor', 'onnxruntime-web, wasm', 'TensorFlow.js, wasm'];
const engines = [...WASM, ...(adapter ? GPU : [])];
const rounds = (/** @type {string} */ name) => (GPU.includes(name) && adapter.software ? Math.min(plan.repeats, FEW) : plan.repeats);
const processor = { model: cpus()[0].model, cores: cpus().length, load: [loadavg()[0], 0] };
const result = { date: new Date().toISOString(), chromium: browser.version(), processor, adapter, passes: /** @type {any[]} */ ([]), growth: /** @type {any[]} */ ([]), training: /** @type {any} */ (null) };
const tell = (/** @type {string} */ what, /** @type {any[]} */ results) => results.forEach(({ engine, times, refused }) => {
  say(`${what}: ${engine}: ${refused ?? times.map((/** @type {number} */ ms) => `${ms.toFixed(1)} ms`).join(', ')}`);
});
const measure = async (/** @type {any} */ what) => {
  const measured = await call('measure', what);
  tell(`${what.name}, ${measured.batch} × ${measured.size}²`, measured.results);
  return measured;
};

if (plan.training) {
  // In JavaScript alone first: it has every kernel, and tells which a step needs.
  const names = [WASM[0], 'TensorFlow.js, JavaScript', WASM[2], ...(adapter ? [GPU[0], GPU[2]] : [])];
  result.training = await call('train', { engines: names.map((name) => ({ name, rounds: rounds(name) })) }, 'train');
  tell('a training step', result.training.results);
}
for (const name of plan.training ? [] : plan.models) {
  result.passes.push(await measure({ name, n: 1, size: 0, engines: engines.map((engine) => ({ name: engine, rounds: rounds(engine) })) }));
}
if (plan.growth && !plan.training) {
  // A software adapter would take hours over 256².
  const growing = adapter && !adapter.software ? engines : WASM;
  const few = growing.map((engine) => ({ name: engine, rounds: Math.min(plan.repeats, FEW) }));
  for (const n of BATCHES) result.growth.push({ over: 'batch', ...await measure({ name: plan.models[0], n, size: SIZES[0], engines: few }) });
  // Last: one of the others ends for good at the largest.
  for (const size of SIZES) result.growth.push({ over: 'size', ...await measure({ name: plan.models[0], n: 1, size, engines: few }) });
}
processor.load[1] = loadavg()[0];
await writeFile(join(plan.folder, 'result.json'), JSON.stringify(result, null, 1));
await browser.close();
