// The section "Speed" as both kinds of device have it: what is shown, what the JSON holds, and that they are the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { took } from '../../../www/sections/speed/kernels.js';
import { figure } from '../../../www/ui/numbers.js';
import { button, control, done, status } from './page.js';

/** @import { Page } from '@playwright/test' */

const PEAKS = ['fma', 'copy'], ALWAYS = ['pass', 'rate', 'sampling', 'training'];

/** Measures and copies, again where other work came between; the closing sentence, and the JSON. */
export async function measure(/** @type {Page} */ page) {
  for (let tries = 1; ; tries++) {
    const found = await once(page);
    console.log(`measured in ${found.seconds} s: ${JSON.stringify(found.json)}`);
    if (fits(found.json)) return found;
    assert.ok(tries < 3, 'kernels that take longer than their pass, three times');
  }
}

async function once(/** @type {Page} */ page) {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const began = Date.now(), said = await done(page, () => button(page, 'Measure this device').click(), 300_000), seconds = (Date.now() - began) / 1000;
  await button(page, 'Copy as JSON').click();
  await status(page).filter({ hasText: /of JSON are on the clipboard/ }).waitFor();
  return { said, seconds, json: JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) };
}

/**
 * Whether what was timed one after another fits together: kernels into a pass, a pass into a step of the chain, which is that and the
 * solver's own kernel. Work beside it may come between, so that a test may measure again.
 * @param {any} json
 */
export function fits({ pass, kernels, sampling }) {
  const sum = kernels.all.reduce((/** @type {number} */ total, /** @type {any} */ { ms }) => total + (ms ?? 0), 0);
  return sum > 0 && (pass.shareOfPeak ?? 0) <= 1 && sum <= 1.2 * pass.ms && sampling.stepsPerSecond > 0 && sampling.stepsPerSecond < 1.6 * (1000 / pass.ms);
}

/** Figures that are there, by their names. */
export const shown = async (/** @type {Page} */ page) => /** @type {Record<string, string>} */ (Object.fromEntries(await page.locator('#speed-values [data-v]:visible').evaluateAll((all) => all.map((one) => [/** @type {HTMLElement} */ (one).dataset.v, one.textContent]))));

/**
 * That figures and JSON agree with each other and with themselves.
 * @param {Page} page
 * @param {any} json
 * @param {'gpu' | 'cpu'} device
 */
export async function assertConsistent(page, json, device) {
  const { adapter, peaks, pass, kernels, sampling, training } = json, figures = await shown(page);
  assert.equal(adapter.device, device);
  assert.deepEqual(Object.keys(figures).sort(), [...(device === 'gpu' ? PEAKS : []), ...ALWAYS].sort());
  assert.equal(figures.pass, took(pass.ms));
  assert.ok(figures.rate.startsWith(`${figure(pass.gflopsPerSecond)} GFLOP/s`), figures.rate);
  assert.equal(figures.sampling, `${figure(sampling.stepsPerSecond)} steps/s`);
  assert.equal(figures.training, `${took(training.ms)} a step, ${figure(training.picturesPerSecond)} pictures/s`);
  assert.ok(Math.abs(pass.gflopsPerSecond - pass.gflop / (pass.ms / 1000)) <= 1e-6 * pass.gflopsPerSecond);
  assert.ok(Math.abs(training.picturesPerSecond * training.ms - 1000 * training.batch) < 1e-6 * 1000 * training.batch);
  const cost = await page.evaluate(() => window.pollen.inspect());
  assert.ok(Math.abs(pass.gflop - cost.flops_per_step / 1e9) < 1e-9, `${pass.gflop}`);
  if (device === 'gpu') {
    assert.equal(figures.fma, `${figure(peaks.gflopsPerSecond)} GFLOP/s`);
    assert.equal(figures.copy, `${figure(peaks.gigabytesPerSecond)} GB/s`);
    assert.ok(pass.shareOfPeak > 0 && pass.shareOfPeak <= 1, `${pass.shareOfPeak} of the peak`);
  } else assert.equal(peaks, null);

  const rows = await page.locator('#speed-rows tr').evaluateAll((all) => all.map((row) => [.../** @type {HTMLTableRowElement} */ (row).cells].map((cell) => cell.textContent ?? '')));
  const named = rows.filter(([name]) => !name.startsWith('between them'));
  assert.deepEqual(named.map(([name, dispatches, ms]) => [name, dispatches, ms]), kernels.all.map((/** @type {any} */ { kernel, dispatches, ms }) => [kernel, String(dispatches), ms === null ? '–' : figure(ms)]));
  assert.ok(named.some(([name]) => name.startsWith('conv2d')), named.join('; '));
  if (kernels.clock) {
    const sum = kernels.all.reduce((/** @type {number} */ total, /** @type {any} */ { ms }) => total + (ms ?? 0), 0);
    assert.ok(sum <= 1.02 * kernels.spanMs, `kernels of ${sum} ms within ${kernels.spanMs}`);
    for (const { share, kernel } of kernels.all) assert.ok(share === null || (share > 0 && share <= 1), `${kernel}: ${share}`);
    for (const [name, , , share, peak] of rows) for (const text of [share, peak ?? '–']) assert.match(text, /^(–|under 1 %|(100|\d\d?) %)$/, name);
  } else assert.ok(kernels.all.every((/** @type {any} */ { ms }) => ms === null));
  return { rows, figures };
}

/** The ratio beside a figure that is put in. */
export async function ratio(/** @type {Page} */ page, /** @type {number} */ theirs) {
  await control(page, 'ONNX Runtime on this device, ms a pass').fill(String(theirs));
  return page.locator('#s-ratio').innerText();
}

/** docs/benchmarks.md, its table of a model: the median of each engine. */
export function benchmarks(/** @type {string} */ model) {
  const text = readFileSync(new URL('../../../docs/benchmarks.md', import.meta.url), 'utf8');
  const table = text.split(`**${model}**, 1 × `)[1].split('\n\n')[1];
  return { text, ms: Object.fromEntries(table.split('\n').slice(2).map((row) => row.split('|').map((cell) => cell.trim())).map(([, engine, ms]) => [engine, parseFloat(ms)])) };
}
