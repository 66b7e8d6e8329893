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
