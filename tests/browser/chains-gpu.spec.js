// Both chains on a GPU: what they submit, how soon they end, what happens when the device is gone.
import assert from 'node:assert/strict';
import { assertFaultless, destroyDevice, takeGpuCalls, share, test } from './support/harness.js';
import { alert, button, diffuse, generate, objection, settings, status, stepped } from './support/page.js';

/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

test('a forward chain of 1000 steps is computed there', async () => {
  await takeGpuCalls(page);
  assert.match(await diffuse(page), /^Done.*(SwiftShader|GPU)/i);
  const dispatches = (await takeGpuCalls(page)).flatMap(({ passes }) => passes.flat()).length;
  assert.ok(dispatches >= 1000, `${dispatches} dispatches`);
  assertFaultless(page);
});

test('steps that are not drawn share submits where they take next to nothing', async () => {
  const chain = () => page.evaluate(async () => {
    const { sample } = await window.pollen.diffuse({ image: new Float32Array(48).map((_, i) => i / 24 - 1), width: 4, height: 4, channels: 3, seed: 1, steps: 400 });
    return Array.from(sample);
  });
  await takeGpuCalls(page);
  const sample = await chain(), calls = await takeGpuCalls(page), passes = calls.flatMap(({ passes }) => passes).length;
  console.log(`${passes} passes in ${calls.length} submits`);
  assert.ok(passes >= 400 && calls.length < passes / 2, `${passes} passes in ${calls.length} submits`);
  await page.evaluate(() => window.pollen.restart({ device: 'cpu' }));
  const other = await chain();
  await page.evaluate(() => window.pollen.restart({ device: 'gpu' }));
  assert.ok(sample.every((x, i) => Math.abs(x - other[i]) < 1e-5), 'another sample than the processor’s');
});

test('a step is one submit of as many dispatches as inspect says, and allocates nothing', async () => {
  const steps = 8;
  await settings(page, { Class: '1', Sampler: 'DDIM', Steps: steps, Count: 1 });
  await takeGpuCalls(page);
  await generate(page);
  const inspection = await page.evaluate(() => window.pollen.inspect({ batch: 1 }));
  assert.ok(inspection.dispatches_per_step > 0 && inspection.dispatches_per_step <= 80, JSON.stringify(inspection));
  assert.equal(inspection.submits_per_step, 1);
  const submits = (await takeGpuCalls(page)).map(({ passes, ...rest }) => {
    const drawn = passes.flat().filter((kernel) => kernel === 'pack_rgba').length;
    return { ...rest, passes: passes.length, drawn, dispatches: passes.flat().length - drawn };
  });
  const counted = submits.filter(({ dispatches }) => dispatches > 0);
  assert.equal(counted.length, steps, JSON.stringify(submits));
  for (const step of counted) assert.equal(step.dispatches, inspection.dispatches_per_step);
  assert.ok(submits.some(({ drawn }) => drawn === 1) && submits.every(({ drawn }) => drawn <= 1));
  const loop = submits.slice(submits.indexOf(counted[1]), submits.indexOf(counted[counted.length - 1]) + 1);
  const made = loop.reduce((sum, { buffers, bindGroups, pipelines }) => sum + buffers + bindGroups + pipelines, 0);
  assert.equal(made, 0, `from the second step on: ${JSON.stringify(submits)}`);
});

test('the same seed gives the same bytes, another seed others', async () => {
  const hashes = await page.evaluate(async () => {
    const hash = async (/** @type {number} */ seed) => {
      const { sample } = await window.pollen.generate({ sampler: 'ddpm', steps: 6, count: 1, class: 3, seed });
      return [...new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {Float32Array<ArrayBuffer>} */ (sample)))].join();
    };
    return [await hash(5), await hash(5), await hash(6)];
  });
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

test('Cancel takes effect within two steps', async () => {
  const after = await page.evaluate(async () => {
    const { pollen } = window;
    let seen = 0;
    const run = pollen.generate({ sampler: 'ddpm', steps: 200, class: 1, onStep: ({ step }) => {
      seen = step;
      if (step === 3) pollen.cancel();
    } });
    const error = await run.then(() => null, (error) => error.name);
    return { seen, error };
  });
  assert.equal(after.error, 'AbortError');
  assert.ok(after.seen <= 5, `step ${after.seen} was still done`);

  await settings(page, { Sampler: 'DDPM', Steps: 1000, Count: 1 });
  await button(page, 'Generate').click();
  await stepped(page);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: 'ancel' }).waitFor({ timeout: 10_000 });
  await settings(page, { Sampler: 'DDIM', Steps: 2 });
  assert.match(await generate(page), /^Done/);
});

test('the device is lost while sampling', async () => {
  await settings(page, { Sampler: 'DDPM', Steps: 500, Count: 1 });
  const said = await objection(page, async () => {
    await button(page, 'Generate').click();
    await stepped(page);
    await destroyDevice(page);
  });
  assert.match(said, /lost|gone|device/i);
  await settings(page, { Sampler: 'DDIM', Steps: 2 });
  assert.match(await generate(page), /^Done/);
  assert.equal((await alert(page).innerText()).trim(), '');
});
