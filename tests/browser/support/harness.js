// What the tests have beyond Playwright's runner: pages that are watched, with WebGPU in software, and the engine's Worker.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test as base } from '@playwright/test';

/** The page's address; it ends with a slash. */
export const address = process.env.POLLEN_URL ?? 'http://127.0.0.1:8080/';

const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'];
// Right after a build, on two busy cores, the first page has taken Chromium more than Playwright's 30 seconds.
const TIMEOUT_MS = 180_000;
const gpuCallsSource = readFileSync(new URL('gpu-calls.js', import.meta.url), 'utf8');

/**
 * @import { Browser, BrowserContextOptions, Page, Route } from '@playwright/test'
 *
 * @typedef {object} Opening
 * @property {string} [path] below `address`
 * @property {boolean} [blank] leave the page unopened
 * @property {Record<string, (route: Route) => unknown>} [serve] other answers than the server's, to the page and to its Workers, by glob
 * @property {BrowserContextOptions} [context] viewport, colorScheme, …
 *
 * @typedef {{ buffers: number, bindGroups: number, pipelines: number, maps: number, passes: string[][] }} Submit see gpu-calls.js
 */

/** What pages that are open have done wrong: see `watch`. @type {WeakMap<Page, string[]>} */
const faults = new WeakMap();

/**
 * `gpu`: WebGPU in software, or (`test.use({ gpu: false })` in a file) Chromium as it comes, where headless it has no adapter.
 * `open(options)`: a new page, closed when the test ends; see `openPage`.
 */
export const test = base.extend(/** @type {import('@playwright/test').Fixtures<{ open: (options?: Opening) => Promise<Page> }, { gpu: boolean }, import('@playwright/test').PlaywrightTestArgs & import('@playwright/test').PlaywrightTestOptions, import('@playwright/test').PlaywrightWorkerArgs & import('@playwright/test').PlaywrightWorkerOptions>} */ ({
  gpu: [true, { option: true, scope: 'worker' }],
  launchOptions: [async ({ gpu }, use) => use({
    executablePath: process.env.POLLEN_CHROMIUM ?? '/usr/bin/chromium',
    args: gpu ? [...QUIET, ...WEBGPU] : QUIET,
  }), { scope: 'worker' }],
  open: async ({ browser }, use) => {
    /** @type {Page[]} */ const pages = [];
    await use(async (options) => {
      const page = await openPage(browser, options);
      pages.push(page);
      return page;
    });
    for (const page of pages) await close(page);
  },
}));

/**
 * A page that the tests of a file share, given to `take` before them: making the kernels of a network takes a software GPU
 * half a minute.
 * @param {(page: Page) => void} take
 */
export function share(take) {
  /** @type {Page} */ let page;
  test.beforeAll(async ({ browser }) => {
    page = await openPage(browser);
    await page.evaluate(() => window.pollen.ready);
    await page.waitForFunction(() => document.documentElement.dataset.started);
    take(page);
  });
  test.afterAll(() => page && close(page));
}

/**
 * A page in a fresh profile.
 * @param {Browser} browser
 * @param {Opening} [options]
 */
async function openPage(browser, { path = '', blank = false, serve = {}, context: options = {} } = {}) {
  const context = await browser.newContext({ serviceWorkers: 'block', ...options }); // one would answer in the place of `serve`
  context.setDefaultTimeout(TIMEOUT_MS);
  await context.route('**/wasm/pollen.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: gpuCallsSource + (await response.text()) });
  });
  for (const [glob, handler] of Object.entries(serve)) await context.route(glob, handler);
  // Settings that few need lie folded: a visitor opens them before touching one.
  await context.addInitScript(() => addEventListener('DOMContentLoaded', () => document.querySelectorAll('details.more').forEach((more) => more.setAttribute('open', ''))));
  const page = await context.newPage();
  watch(page);
  if (!blank) await page.goto(address + forced(path));
  return page;
}

/**
 * A Worker of the page may still be fetching the engine, and Playwright takes that answer from `openPage`'s route and fails the test
 * ("Response has been disposed"), unless the route goes first.
 * @param {Page} page
 */
async function close(page) {
  await page.context().unrouteAll({ behavior: 'ignoreErrors' });
  await page.context().close();
}

/**
 * The page's address with `?device=gpu`, unless a device is asked for: by itself the page would leave SwiftShader alone. And with
 * `way=best`, unless a way is asked for: without a GPU it would begin with another model.
 * @param {string} path
 */
function forced(path) {
  const url = new URL(path, address);
  if (url.pathname !== new URL(address).pathname) return path;
  if (!url.searchParams.has('device')) url.searchParams.set('device', 'gpu');
  if (!url.searchParams.has('way')) url.searchParams.set('way', 'best');
  return url.href.slice(address.length);
}

/** @param {Page} page */
function watch(page) {
  /** @type {string[]} */ const list = [];
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

/**
 * No uncaught error, no error in the console, nothing asked of another server.
 * @param {Page} page
 */
export function assertFaultless(page) {
  assert.deepEqual(faults.get(page), []);
}

/** Puts a measured number beside the test in the report. */
export const note = (/** @type {string} */ text) => test.info().annotations.push({ type: 'measured', description: text });

/**
 * The engine's Worker, once it runs.
 * @param {Page} page
 */
export async function engineWorker(page) {
  return page.workers()[0] ?? page.waitForEvent('worker');
}

/**
 * The WebGPU calls since the last call of this function: one entry a submit.
 * @param {Page} page
 * @returns {Promise<Submit[]>}
 */
export async function takeGpuCalls(page) {
  const worker = await engineWorker(page);
  return worker.evaluate(() => /** @type {any} */ (globalThis).gpuCalls.submits.splice(0));
}

/**
 * Takes the device from under the engine.
 * @param {Page} page
 */
export async function destroyDevice(page) {
  const worker = await engineWorker(page);
  await worker.evaluate(() => /** @type {any} */ (globalThis).gpuCalls.device.destroy());
}
