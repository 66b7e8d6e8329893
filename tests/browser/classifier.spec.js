// The classifier as it is written here gives what PyTorch gives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from '@playwright/test';
import { logits } from './support/classifier.js';
import { readTensors } from './support/safetensors.js';

test('logits agree with PyTorch', () => {
  const { sample, logits: expected } = readTensors(readFileSync(new URL('../fixtures/classifier/logits.safetensors', import.meta.url)));
  for (let n = 0; n < sample.shape[0]; n++) {
    const found = logits(sample.data.subarray(n * 784, (n + 1) * 784));
    for (const [digit, value] of found.entries()) {
      assert.ok(Math.abs(value - expected.data[10 * n + digit]) < 1e-4, `picture ${n}, ${digit}: ${value}`);
    }
  }
});
