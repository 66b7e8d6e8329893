// Whatever a scheduler's file asks for, the model opens, and what is replaced is said: the command line's cases (tests/cli/opening.rs).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, test } from './support/harness.js';
import { control, generate, ready, settings } from './support/page.js';
import { openFiles } from './support/small.js';

test.use({ gpu: false });
const table = (/** @type {string} */ name) => JSON.parse(readFileSync(new URL(`../support/${name}`, import.meta.url), 'utf8'));
const CASES = table('schedulers.json'), FOLDERS = table('folders.json');
const fixture = (/** @type {string} */ name) => readFileSync(new URL(`../fixtures/chains/model/${name}`, import.meta.url));
const WEIGHTS = 'diffusion_pytorch_model.safetensors';
const files = { 'config.json': fixture('config.json'), [WEIGHTS]: fixture(WEIGHTS) };
const json = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value));

test('any scheduler file lets a model open, and what is replaced is said', async ({ open }) => {
  const page = await open();
  await ready(page);
  const weights = files[WEIGHTS].toString('base64'), config = String(files['config.json']);
  const opened = await page.evaluate(async ({ weights, config, cases, WEIGHTS }) => {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0)), answers = [];
    for (const { scheduler } of cases) {
      const { sampler, warnings } = await window.pollen.loadModel([
        new File([config], 'config.json'), new File([bytes], WEIGHTS), new File([JSON.stringify(scheduler)], 'scheduler_config.json'),
      ]);
      const refused = await window.pollen.generate({ sampler, steps: 2 }).then(() => null, (error) => error.message);
      answers.push({ sampler, warnings, refused });
    }
    return answers;
  }, { weights, config, cases: CASES, WEIGHTS });
  for (const [i, { name, sampler, says, refused }] of CASES.entries()) {
    const said = opened[i].warnings.join(' ');
    assert.equal(opened[i].sampler, sampler, name);
    assert.equal(said === '', says.length === 0, `${name}: ${said}`);
    for (const part of says) assert.ok(said.includes(part), `${name}: ${part} is not in ${said}`);
    assert.equal(opened[i].refused?.includes(refused ?? '') ?? false, Boolean(refused), `${name}: ${opened[i].refused}`);
  }
  assertFaultless(page);
});

test('what lies beside the files of a model is looked at', async ({ open }) => {
  const page = await open();
  await ready(page);
  const opened = await page.evaluate(async ({ weights, config, cases, WEIGHTS }) => {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0)), answers = [];
    const made = { model: {}, average: { decay: 0.9999, optimization_step: 500, power: 0.75 }, sizeless: { sample_size: null } };
    const file = (/** @type {string} */ path, /** @type {BlobPart} */ part) => ({ path: `run/${path}`.replace('/./', '/'), file: new File([part], path) });
    for (const { files } of cases) {
      // A visitor who opens a folder gives no other: what is above comes where the whole run is opened.
      const list = Object.entries(files).flatMap(([path, content]) => (typeof content !== 'string' ? [file(path, JSON.stringify(content))] : [
        file(`${path}/config.json`, JSON.stringify({ ...JSON.parse(config), ...made[/** @type {keyof typeof made} */ (content)] })),
        file(`${path}/${WEIGHTS}`, bytes),
      ]));
      const { sampler, warnings } = await window.pollen.loadModel(list);
      answers.push({ sampler, warnings });
    }
    return answers;
  }, { weights: files[WEIGHTS].toString('base64'), config: String(files['config.json']), cases: FOLDERS, WEIGHTS });
  for (const [i, { name, sampler, says }] of FOLDERS.entries()) {
    const said = opened[i].warnings.join(' ');
    assert.equal(opened[i].sampler, sampler, name);
    assert.equal(said === '', says.length === 0, `${name}: ${said}`);
    for (const part of says) assert.ok(said.includes(part), `${name}: ${part} is not in ${said}`);
  }
  assertFaultless(page);
});

test('a model of a class that none here has: the sentence, and a solver that is chosen', async ({ open }) => {
  const page = await open();
  await ready(page);
  await openFiles(page, { ...files, 'scheduler_config.json': json(CASES[0].scheduler) });
  await page.getByText(/PNDMScheduler is not supported; ddim is chosen/).waitFor();
  assert.equal(await control(page, 'Sampler').inputValue(), 'ddim');
  await settings(page, { Steps: 2, Count: 1 });
  assert.match(await generate(page), /^Done/);
  assertFaultless(page);
});

test('a model without a size has fields for it, and a run says where it departs', async ({ open }) => {
  const page = await open();
  await ready(page);
  const config = { ...JSON.parse(String(files['config.json'])), sample_size: null };
  const scheduler = { _class_name: 'DDIMScheduler', timestep_spacing: 'trailing', num_train_timesteps: 100 };
  await openFiles(page, { ...files, 'config.json': json(config), 'scheduler_config.json': json(scheduler) });
  await page.getByText(/config\.json has no sample_size: pictures are 64×64/).waitFor();
  assert.deepEqual(await Promise.all(['Width', 'Height'].map((name) => control(page, name).inputValue())), ['64', '64']);
  await settings(page, { Width: 16, Height: 8, Steps: 29, Count: 1 });
  assert.match(await generate(page), /^Done.*Note: .*timestep -1/);
  const made = await page.evaluate(async () => {
    const { shape, warnings } = await window.pollen.generate({ steps: 2, width: 12, height: 20 });
    return { shape, warnings };
  });
  assert.deepEqual(made, { shape: [1, 3, 20, 12], warnings: [] });
  await settings(page, { Model: 'MNIST digits' });
  assert.equal(await control(page, 'Width').isVisible(), false);
  assertFaultless(page);
});
