// The reverse chain on the shipped model.
import assert from 'node:assert/strict';
import { classify } from './support/classifier.js';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, listen, pixels, settings, status, stepped } from './support/page.js';

test.use({ gpu: false }); // what a GPU computes is for chains-gpu and parity
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const SAMPLES = 'The samples x t', GUESS = /^The network's guess/;

/**
 * One channel of a canvas, as the model's values in [−1, 1].
 * @param {import('@playwright/test').Locator} locator
 */
async function grey(locator) {
  const { data } = await pixels(locator);
  return Float32Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] / 127.5 - 1);
}

test('each digit, 5 steps of DDIM: a classifier reads at least 9 of 10', async () => {
  await settings(page, { Sampler: 'DDIM', Steps: 5, Count: 1 });
  const reads = [];
  for (let digit = 0; digit < 10; digit++) {
    await settings(page, { Class: String(digit), Seed: digit });
    assert.match(await generate(page), /^Done/);
    reads.push(classify(await grey(canvas(page, SAMPLES))));
  }
  const right = reads.filter((read, digit) => read === digit).length;
  assert.ok(right >= 9, `${right} of 10 are read as asked: ${reads}`);
  assertFaultless(page);
});

test('DDPM with either variance and DDIM with randomness, a grid, any digit', async () => {
  const told = await listen(page);
  await settings(page, { Class: 'Any', Seed: 2 ** 32 - 1, Sampler: 'DDPM', Steps: 2, Count: 5 });
  await generate(page);
  const grid = await pixels(canvas(page, SAMPLES));
  assert.ok(grid.width >= 3 * 28 && grid.height >= 2 * 28, `${grid.width} × ${grid.height}`);
  const paper = await grey(canvas(page, SAMPLES));
  await page.getByRole('radio', { name: /posterior/ }).check();
  await generate(page);
  assert.notDeepEqual(await grey(canvas(page, SAMPLES)), paper);
  await settings(page, { Sampler: 'DDIM', Steps: 3, Count: 1 });
  await control(page, 'Randomness η').fill('1');
  await generate(page);
  const { progress, sentences } = await told();
  assert.ok(progress.includes(100) && progress.some((value) => value > 0 && value < 100), String(progress));
  assert.ok(sentences.some((sentence) => /on the processor/.test(sentence)), String(sentences));
  assertFaultless(page);
});

test('x̂_0 stands beside x_t: clear at once, and the same in the end', async () => {
  await settings(page, { Class: '7', Sampler: 'DDIM', Steps: 5, Count: 1, Seed: 0 });
  await generate(page);
  const same = async () => {
    const [a, b] = [await grey(canvas(page, SAMPLES)), await grey(canvas(page, GUESS))];
    return a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0) / a.length;
  };
  assert.ok(await same() < 0.01, `at the end ${await same()}`);
  await control(page, 'Frame').fill('1');
  assert.ok(await same() > 0.1, `after the first step ${await same()}`);
  // Who presses again for another picture is told why it is the same one.
  assert.match(await generate(page), /The same as before, since the seed is the same: Another takes a new one\.$/);
  await settings(page, { Seed: 1 });
  assert.doesNotMatch(await generate(page), /The same as before/);
});

test('Another takes a new seed, which the field and the address have, and generates; by keyboard, and not while a run goes on', async () => {
  await settings(page, { Class: '7', Sampler: 'DDIM', Steps: 3, Count: 1, Seed: 4 });
  await generate(page);
  const seen = [await grey(canvas(page, SAMPLES))], seeds = ['4'];
  for (let i = 0; i < 2; i++) {
    await button(page, 'Another').focus();
    assert.match(await done(page, () => page.keyboard.press('Enter')), /^Done: 1 picture, 3 steps of DDIM/);
    seeds.push(await control(page, 'Seed').inputValue());
    assert.equal(new URLSearchParams(new URL(page.url()).hash.slice(1)).get('seed'), seeds.at(-1));
    await canvas(page, new RegExp(`^The samples x t after step 3 of 3: MNIST digits, class 7, seed ${seeds.at(-1)}\\.`)).waitFor();
    seen.push(await grey(canvas(page, SAMPLES)));
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Another');
  }
  assert.equal(new Set(seeds).size, 3);
  assert.notDeepEqual(seen[0], seen[1]);
  assert.notDeepEqual(seen[1], seen[2]);
  // What it made is what Generate makes of that seed.
  await generate(page);
  assert.deepEqual(await grey(canvas(page, SAMPLES)), seen[2]);
  await settings(page, { Steps: 500 });
  await button(page, 'Another').focus();
  await page.keyboard.press('Enter');
  await stepped(page);
  const during = await control(page, 'Seed').inputValue();
  await page.keyboard.press('Enter');
  assert.equal(await control(page, 'Seed').inputValue(), during);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: /^Cancelled after/ }).waitFor();
});

test('closed forms are answered while a chain runs', async () => {
  const { asked, answered, last, T } = await page.evaluate(async () => {
    const { pollen } = window;
    let last = 0, asked = 0, answered = 0, T = 0;
    await pollen.generate({ steps: 20, class: 1, onStep: ({ step }) => {
      last = step;
      if (step !== 2) return;
      asked = step;
      pollen.schedule({ steps: 77 }).then(({ beta }) => { answered = last; T = beta.length - 1; });
    } });
    return { asked, answered, last, T };
  });
  assert.equal(T, 77);
  assert.ok(answered >= asked && answered <= asked + 3, `asked at step ${asked}, answered at step ${answered} of ${last}`);
});
