// A browser for each file of tests, a fresh profile and page for each test.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

/** The page's address; it ends with a slash. */
export const address = process.env.POLLEN_URL ?? 'http://127.0.0.1:8080/';

const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];
// Right after a build, on two busy cores, the first page has taken Chromium more than Playwright's 30 seconds.
const PATIENCE_MS = 180_000;
const gpuCallsSource = readFileSync(new URL('gpu-calls.js', import.meta.url), 'utf8');

/** What pages that are open have done wrong: see `watch`. */
const faults = new WeakMap();

/**
 * Starts Chromium before the tests of a file, with WebGPU in software or (`gpu: false`) as it comes, where headless
 * Chromium has no adapter. Returns `open(t, options)`: a new page, closed when test `t` ends, or with the browser where
 * `t` is null: making the kernels of a network takes a software GPU half a minute, so tests of a network share a page.
 *  - `path`: below `address`;  `blank`: leave the page unopened
 *  - `serve`: { glob: handler(route) }: other answers than the server's, to the page and to its Workers
 *  - `context`: Playwright's options of a context (viewport, colorScheme, …)
 */
export function useChromium({ gpu = true } = {}) {
  let browser; // the promise of one, from the first page on
  after(async () => (await browser)?.close());
  return async function open(t, { path = '', blank = false, serve = {}, context: options = {} } = {}) {
    browser ??= chromium.launch({
      executablePath: process.env.POLLEN_CHROMIUM ?? '/usr/bin/chromium',
      args: gpu ? [...QUIET, ...WEBGPU] : QUIET,
    });
    const context = await (await browser).newContext(options);
    t?.after(() => context.close());
    context.setDefaultTimeout(PATIENCE_MS);
    await context.route('**/wasm/pollen.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: gpuCallsSource + (await response.text()) });
    });
    for (const [glob, handler] of Object.entries(serve)) await context.route(glob, handler);
    const page = await context.newPage();
    watch(page);
    if (!blank) await page.goto(address + path);
    return page;
  };
}

function watch(page) {
  const list = [];
  faults.set(page, list);
  page.on('pageerror', (error) => list.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') list.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(blob|data):/.test(url)) list.push(`request to ${url}`);
  });
}

/** No uncaught error, no error in the console, nothing asked of another server. */
export function assertFaultless(page) {
  assert.deepEqual(faults.get(page), []);
}

/** The engine's Worker, once it runs. */
export async function engineWorker(page) {
  return page.workers()[0] ?? page.waitForEvent('worker');
}

/** The WebGPU calls since the last call of this function: one entry a submit, see gpu-calls.js. */
export async function takeGpuCalls(page) {
  const worker = await engineWorker(page);
  return worker.evaluate(() => globalThis.gpuCalls.submits.splice(0));
}

/** Takes the device from under the engine. */
export async function destroyDevice(page) {
  const worker = await engineWorker(page);
  await worker.evaluate(() => globalThis.gpuCalls.device.destroy());
}
