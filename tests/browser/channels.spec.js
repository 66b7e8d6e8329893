// Networks of grey or colour with transparency: trained in the page on what the command line trains on, and shown with it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertFaultless, test } from './support/harness.js';
import { png } from './support/images.js';
import { button, control, done, generate, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });

const EDGE = 16;
/** Colours behind pixels that are clear, half clear and opaque. */
const colour = (/** @type {number} */ x, /** @type {number} */ y) => [17 * x, 17 * y, 200, [0, 128, 255, 255][x >> 2]];
const PICTURE = png(EDGE, EDGE, colour);
const config = (/** @type {number} */ channels) => ({
  sample_size: EDGE, in_channels: channels, out_channels: channels, block_out_channels: [8, 16], layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'UpBlock2D'], norm_num_groups: 4, add_attention: false,
});

test('the form trains networks with transparency, which Generate then shows', async ({ open }) => {
  const page = await open();
  await ready(page);
  await control(page, 'Choose training pictures').setInputFiles([{ name: 'clear.png', mimeType: 'image/png', buffer: PICTURE }]);
  await status(page).filter({ hasText: /^Training on clear\.png/ }).waitFor();
  await settings(page, { 'Training steps': 1, 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels' });
  for (const [choice, channels] of /** @type {[string, number][]} */ ([['Colour and transparency', 4], ['Grey and transparency', 2]])) {
    await settings(page, { 'Picture colour': choice });
    const seen = await pixels(page.locator('#data-canvas'));
    assert.deepEqual([seen.width, seen.height], [EDGE, EDGE]);
    for (const [x, y] of [[0, 9], [5, 3], [9, 12], [15, 0]]) {
      const [r, g, b, alpha] = colour(x, y), grey = Math.round(0.299 * r + 0.587 * g + 0.114 * b);
      const expected = [...(alpha === 0 ? [0, 0, 0] : channels === 2 ? [grey, grey, grey] : [r, g, b]), alpha]; // a canvas keeps no colour behind 0
      for (const [c, value] of seen.at(x, y).entries()) assert.ok(Math.abs(value - expected[c]) <= 2, `${choice}, ${x}, ${y}: ${seen.at(x, y)}, not ${expected}`);
    }
    assert.match(await done(page, () => button(page, 'Train').click()), /^Done: 1 step/);
    await settings(page, { Steps: 2, Count: 1 });
    assert.match(await generate(page), /^Done/);
    const { made, config } = await page.evaluate(async () => {
      const { sample, shape, rgba } = await window.pollen.generate({ sampler: 'ddim', steps: 2 });
      const config = await /** @type {File | undefined} */ (window.pollen.files?.find(({ path }) => path === 'config.json')?.file)?.text();
      const area = shape[2] * shape[3], alpha = sample.slice((shape[1] - 1) * area);
      return { made: { shape, alpha: [...alpha], shown: [...rgba].filter((_, i) => i % 4 === 3) }, config };
    });
    assert.deepEqual(made.shape, [1, channels, EDGE, EDGE]);
    assert.equal(JSON.parse(config ?? '').in_channels, channels);
    assert.deepEqual(made.shown, made.alpha.map((x) => Math.floor(255 * Math.min(1, Math.max(0, x / 2 + 0.5)) + 0.5)));
  }
  assertFaultless(page);
});

test('the page trains on what the command line trains on', async ({ open }, info) => {
  const page = await open();
  await ready(page);
  const [picture, settings, output] = ['clear.png', 'config.json', 'run'].map((name) => info.outputPath(name));
  writeFileSync(picture, PICTURE);
  for (const channels of [2, 4]) {
    writeFileSync(settings, JSON.stringify(config(channels)));
    execFileSync(process.env.POLLEN_CLI ?? 'pollen', ['train', '--data', picture, '--config', settings, '--batch', '4', '--seed', '5', '--steps', '3', '--device', 'cpu', '--output', output + channels]);
    const there = readFileSync(join(output + channels, 'loss.csv'), 'utf8').trim().split('\n').slice(1).map((line) => Number(line.split(',')[1]));
    const here = await page.evaluate(async ([bytes, config, edge]) => {
      const path = './sections/train/data.js';
      const { gather } = await import(new URL(path, document.baseURI).href);
      const { data } = await gather([new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'clear.png')], { edge, channels: config.in_channels, labels: 'none', asItIs: false }, () => {});
      const training = await window.pollen.train({ ...data, config, recipe: { batch: 4, at_once: 4, seed: 5 } });
      /** @type {number[]} */ const losses = [];
      await training.run({ steps: 3, onReport: ({ step, loss }) => { losses[step - 1] = loss; } });
      await training.free();
      return losses;
    }, /** @type {[string, ReturnType<typeof config>, number]} */ ([PICTURE.toString('base64'), config(channels), EDGE]));
    assert.equal(there.length, 3);
    // A canvas holds the colours of half-clear pixels with a bit less.
    for (const [i, loss] of here.entries()) assert.ok(Math.abs(loss - there[i]) < 2e-3 * there[i], `${channels} channels: ${here}, not ${there}`);
  }
});
