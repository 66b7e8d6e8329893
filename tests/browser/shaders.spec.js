// A shader's text can be replaced while the engine runs: what `cargo xtask serve` does when one is saved.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from './support/harness.js';

const text = readFileSync(new URL('../../shaders/chain/pack_rgba.wgsl', import.meta.url), 'utf8');

test('the next call has the new text, and says what is wrong with it', async ({ open }) => {
  const page = await open();
  /** Reds of x_1 as it is drawn; x_0 needs no device. */
  const drawn = () => page.evaluate(async () => {
    /** @type {number[]} */ let first = [];
    const image = new Float32Array(16).fill(0.5);
    await window.pollen.diffuse({ image, channels: 1, height: 4, width: 4, steps: 10, onStep: ({ t, rgba }) => { if (t === 1) first = [...rgba].filter((_, i) => i % 4 === 0); } });
    return first;
  });
  const put = (/** @type {string} */ name, /** @type {string} */ wgsl) => page.evaluate(
    ([name, wgsl]) => window.pollen.setShader(name, wgsl).then(() => null, ({ message }) => message), /** @type {const} */ ([name, wgsl]));
  const before = await drawn();
  assert.ok(before.every((red) => red > 128), `${before}`);
  assert.equal(await put('chain/pack_rgba', text.replace('v * 0.5 + 0.5', 'v * -0.5 + 0.5')), null);
  const after = await drawn();
  for (const [i, red] of before.entries()) assert.ok(Math.abs(255 - red - after[i]) <= 1, `${before} and ${after}`);
  assert.match(await put('chain/none', text) ?? '', /no shader chain\/none/);
  assert.equal(await put('chain/pack_rgba', text.replace('fn byte(', 'fn bite(')), null);
  const refused = await drawn().then(() => 'nothing', ({ message }) => message);
  assert.match(refused, /kernels|pack_rgba/);
  assert.equal(await put('chain/pack_rgba', text), null);
  assert.deepEqual(await drawn(), before);
});
