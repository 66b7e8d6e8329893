// What "Copy as diffusers code" and "Copy as pollen command" give, run beside the page, for every solver that it offers. It
// needs a served page and a Python with diffusers 0.42.1, and so is no part of `cargo xtask test`:
//     POLLEN_URL=http://127.0.0.1:8080/ POLLEN_CLI=target/debug/pollen PYTHON=python3 [SOLVER=ddim] node tests/outside/diffusers-code.mjs
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from '@playwright/test';
import { button, control, generate, settings } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium', POLLEN_CLI = 'target/debug/pollen', PYTHON = 'python3' } = process.env;
const folder = mkdtempSync(join(tmpdir(), 'pollen-code-'));
/** One Python for all scripts, each as if it ran alone: what takes long is to import torch. It is given a script, or two pictures to compare. */
const SERVER = `
import contextlib, json, runpy, sys, numpy
from PIL import Image
def largest(*paths):
    a, b = (numpy.asarray(Image.open(path).convert("RGB")).astype(int) for path in paths)
    return int(abs(a - b).max()) if a.shape == b.shape else f"{a.shape} {b.shape}"
for line in sys.stdin:
    paths = json.loads(line)
    with contextlib.redirect_stdout(sys.stderr):
        answer = largest(*paths) if len(paths) == 2 else runpy.run_path(*paths, run_name="__main__") and None
    print(json.dumps(answer), flush=True)`;
const child = spawn(PYTHON, ['-c', SERVER], { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
async function python(/** @type {string[]} */ ...paths) {
  child.stdin.write(`${JSON.stringify(paths)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`Python ended at ${paths.join(' and ')}`);
  return JSON.parse(value);
}

const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM });
const page = await (await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })).newPage();
await page.goto(`${POLLEN_URL}?device=cpu&way=best`);
await page.evaluate(() => window.pollen.ready);
/** Of one solver alone, where it is named. */
const { SOLVER } = process.env;
await page.evaluate(() => document.querySelectorAll('details.more').forEach((more) => more.setAttribute('open', '')));

const save = async (/** @type {string} */ name) => {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  const path = join(folder, `page-${download.suggestedFilename()}`);
  await download.saveAs(path);
  return path;
};
const copied = async (/** @type {string} */ name) => {
  await button(page, name).click();
  await page.getByRole('status').filter({ hasText: name.includes('command') ? /^The command is/ : /^The Python script is/ }).waitFor();
  return page.evaluate(() => navigator.clipboard.readText());
};

const solvers = await page.evaluate(() => window.pollen.samplers());
let wrong = 0;
for (const [model, count, guidance] of /** @type {const} */ ([['MNIST digits', 4, 2], ['MNIST digits', 1, 1], ['Oxford Flowers', 1, 3]])) {
  await control(page, 'Model').selectOption({ label: model });
  for (const { name, title, options } of solvers.filter(({ name }) => !SOLVER || name === SOLVER)) {
    if (model === 'Oxford Flowers' && !['ddim', 'unipc', 'euler-a'].includes(name)) continue;
    await settings(page, { Sampler: title, Steps: name === 'ddpm' ? 60 : 12, Seed: -5, Count: count });
    await control(page, 'Class').selectOption({ index: 4 });
    await control(page, 'Guidance').fill(String(guidance));
    await control(page, 'Away from').selectOption({ index: count === 4 ? 2 : 0 });
    if (options.includes('eta')) await control(page, 'Randomness η').fill(count === 4 ? '0.7' : '0');
    if (options.includes('clip')) await page.getByRole('checkbox', { name: /^Keep/ }).setChecked(count === 4);
    await generate(page);
    const [picture, script, command] = [await save('Save as PNG'), await copied('Copy as diffusers code'), await copied('Copy as pollen command')];
    writeFileSync(join(folder, 'code.py'), script);
    await python(join(folder, 'code.py'));
    const made = picture.replace('page-', ''), theirs = await python(picture, made);
    const [, ...words] = command.split(' ');
    execFileSync(POLLEN_CLI, [...words, '--device', 'cpu'].map((word) => (word.endsWith('.png') ? join(folder, `cli-${word}`) : word)), { stdio: 'ignore' });
    const ours = await python(picture, picture.replace('page-', 'cli-'));
    if (!(theirs <= 1 && ours <= 1)) wrong += 1;
    console.log(`${model}, ${title}, ${count} of them, guidance ${guidance}: off by ${theirs} of 255 from diffusers, by ${ours} from the command line`);
  }
}
child.stdin.end();
await browser.close();
assert.equal(wrong, 0);
