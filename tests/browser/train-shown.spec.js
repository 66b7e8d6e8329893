// What is shown of a training: the training pictures nearest to its samples, and the word where its loss rises.
import assert from 'node:assert/strict';
import { trend, warning } from '../../www/sections/train/warning.js';
import { apart, nearest } from '../../www/worker/nearest.js';
import { test } from './support/harness.js';

test('the nearest of many pictures: grey, larger than the sample, mirrored', async () => {
  const breathe = async () => {}, [N, rows, columns, height, width] = [300, 9, 8, 5, 6];
  let state = 7;
  const pixels = Uint8Array.from({ length: N * rows * columns }, () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) >>> 24);
  const window = (/** @type {number} */ n, /** @type {number} */ y, /** @type {number} */ x) => pixels[(n * rows + ((rows - height) >> 1) + y) * columns + ((columns - width) >> 1) + x];
  // Three samples in a grid of two by two: picture 40 with each number moved by 3, the mirror image of 299, and 0 as it is.
  const rgba = new Uint8ClampedArray(4 * (2 * height) * (2 * width));
  for (const [i, value] of [(/** @type {number} */ y, /** @type {number} */ x) => Math.abs(window(40, y, x) - 3), (/** @type {number} */ y, /** @type {number} */ x) => window(299, y, width - 1 - x), (/** @type {number} */ y, /** @type {number} */ x) => window(0, y, x)].entries()) {
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rgba.set([value(y, x), value(y, x), value(y, x), 255], 4 * ((Math.floor(i / 2) * height + y) * 2 * width + (i % 2) * width + x));
  }
  const sample = { rgba, count: 3, height, width }, pictures = { pixels, channels: 1, height: rows, width: columns };
  const found = await nearest(sample, pictures, true, breathe);
  assert.deepEqual(found.indices, [40, 299, 0]);
  assert.ok(Math.abs(found.distances[0] - 3 / 127.5) < 1e-9 && found.distances[1] === 0 && found.distances[2] === 0, String(found.distances));
  assert.deepEqual([...found.rgba.slice(4 * width, 8 * width)], [...rgba.slice(4 * width, 8 * width)], 'the mirrored one is shown mirrored');
  assert.notEqual((await nearest(sample, pictures, false, breathe)).indices[1], 299);
  const between = await apart({ height, width }, pictures, false, breathe);
  assert.ok(between && between > 0.2 && between < 0.8, String(between));
  assert.equal(await apart({ height, width }, { ...pictures, pixels: pixels.slice(0, rows * columns) }, false, breathe), null);
});

test('a rising loss is said early, noise is not', () => {
  let state = 3;
  const chance = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  const falling = Array.from({ length: 400 }, (_, i) => (0.05 + Math.exp(-i / 60)) * (0.2 + 1.6 * chance()));
  for (let step = 1; step <= 400; step++) assert.equal(warning(falling.slice(0, step), 1e-3), null, `step ${step}`);
  const rising = [...falling, ...Array.from({ length: 100 }, (_, i) => (0.05 + i / 300) * (0.2 + 1.6 * chance()))];
  const first = rising.findIndex((_, i) => warning(rising.slice(0, i + 1), 1e-3));
  assert.ok(first > 400 && first < 470, String(first));
  assert.match(warning(rising, 1e-3) ?? '', /^The loss rises: 0\.[\d]+ over the last 50 steps, where it was 0\.\d+ up to step \d+\. .* A learning rate of 0\.0003 in place of 0\.001/);
  assert.equal(warning([...Array(420), ...rising.slice(420)], 1e-3), null, 'of a training that went on, with nothing before');
});

test('before a hundred steps: an error above that of a network that answers 0, or a loss that jumps with the gradient; chance does neither', () => {
  let state = 11;
  const chance = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32, noisy = (/** @type {number} */ of) => of * (0.2 + 1.6 * chance());
  for (let run = 0; run < 40; run++) {
    const losses = Array.from({ length: 100 }, (_, i) => noisy(0.05 + Math.exp(-i / 60))), norms = losses.map(() => noisy(1)), errors = losses.map((_, i) => noisy(0.1 + Math.exp(-i / 60)));
    for (let step = 1; step <= 100; step++) assert.equal(warning(losses.slice(0, step), 1e-3, { norms, errors }), null, `run ${run}, step ${step}`);
  }
  const diverging = Array.from({ length: 30 }, (_, i) => noisy(i < 12 ? 0.3 : 0.3 * 1.5 ** (i - 11))), steady = Array(30).fill(0.5);
  const first = (/** @type {import('../../www/sections/train/warning.js').Beside} */ beside) => diverging.findIndex((_, i) => warning(diverging.slice(0, i + 1), 1, beside));
  const at = first({ norms: diverging, errors: diverging });
  assert.ok(at > 12 && at < 25, String(at));
  assert.match(warning(diverging.slice(0, at + 1), 1, { norms: diverging, errors: diverging }) ?? '', /^The training diverges: over the last 10 steps the network’s error is [\d.]+, where one that always answers 0 has about 1\. The gradient’s norm is [\d.]+\. A learning rate of 0\.3 in place of 1 usually mends that\.$/);
  const jumped = first({ norms: diverging, errors: steady });
  assert.ok(jumped > 12 && jumped < 28, String(jumped));
  assert.match(warning(diverging.slice(0, jumped + 1), 1, { norms: diverging, errors: steady }) ?? '', /^The loss jumps: [\d.]+ over the last 10 steps, where it was 0\.\d+ up to step 1\d, and the gradient’s norm rose from 0\.\d+ to [\d.]+\. If it goes on, the training diverges\./);
  assert.equal(first({ norms: steady, errors: steady }), -1, 'with a gradient that stays as it was');
});

test('whether more steps would help: while the loss falls, not once only chance moves it', () => {
  let state = 5;
  const chance = () => (state = Math.imul(state, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  const losses = Array.from({ length: 2000 }, (_, i) => (0.05 + Math.exp(-i / 100)) * (0.2 + 1.6 * chance()));
  assert.equal(trend(losses.slice(0, 99)), '');
  assert.match(trend(losses.slice(0, 100)), /^From 0\.88\d+ over the first 20 steps it has come down to 0\.4\d+\. Chance moves it by \d\d %, too much to tell from so few steps whether it still falls\.$/);
  assert.match(trend(losses.slice(0, 400)), / It still falls, by 3\d % from one quarter of the steps to the next: more of them would help\.$/);
  assert.match(trend(losses), / come down to 0\.050\d+\. Over the last half of the steps it has not fallen by more than chance: more of them would change little\.$/);
  assert.match(trend([...losses].reverse()), /^It was 0\.048\d* over the first 20 steps and is 0\.2\d+ now\. It rises, by \d+ % /);
  assert.equal(trend([...Array(500), ...losses]), '', 'of a training that went on, with nothing before');
});
