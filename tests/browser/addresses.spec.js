// What the address of a model means, before anything is asked for.
import assert from 'node:assert/strict';
import { test } from './support/harness.js';
import { folderOf } from '../../www/files/addresses.js';

test('which folder an address means', () => {
  const hub = 'https://huggingface.co/google/ddpm-cifar10-32', main = `${hub}/resolve/main/`;
  const cases = {
    [hub]: main, [`${hub}/`]: main, [`${hub}/tree/main`]: main, [`${hub}/blob/main/config.json`]: main, [`${hub}/resolve/v1/unet/config.json?download=true`]: `${hub}/resolve/v1/unet/`,
    [`${hub}/tree/refs%2Fpr%2F1/unet`]: `${hub}/resolve/refs%2Fpr%2F1/unet/`, [`${hub}/blob/fp16/unet/x.ckpt`]: `${hub}/resolve/fp16/unet/`, [`${hub}/raw/v2/config.json`]: `${hub}/resolve/v2/`,
    [`${hub}/unet`]: `${main}unet/`, [`${hub}?revision=fp16&subfolder=a/unet`]: `${hub}/resolve/fp16/a/unet/`, [`${hub}@refs%2Fpr%2F2/unet`]: `${hub}/resolve/refs%2Fpr%2F2/unet/`, 'https://hf.co/google/ddpm-cifar10-32': main,
    'https://example.org/a%20b/model?x=1#y': 'https://example.org/a%20b/model/', 'https://example.org/m/config.json': 'https://example.org/m/', 'https://example.org': 'https://example.org/',
  };
  for (const [address, folder] of Object.entries(cases)) assert.equal(folderOf(address).folder, folder, address);
  // Above a repository's own folder there is nothing of it.
  const depths = { [hub]: 0, [`${hub}/tree/refs%2Fpr%2F1/unet`]: 1, [`${hub}/tree/refs/pr/1/unet`]: 1, [`${hub}?subfolder=a/unet`]: 2, 'https://example.org': 0, 'https://example.org/a/unet/config.json': 2 };
  for (const [address, depth] of Object.entries(depths)) assert.equal(folderOf(address).depth, depth, address);
  assert.equal(folderOf(hub).title, 'google/ddpm-cifar10-32');
  const named = { [hub]: null, [`${hub}/blob/main/config.json`]: null, [`${hub}/blob/main/x.ckpt`]: 'x.ckpt', 'https://example.org/m/a%20b.pt': 'a b.pt', 'https://example.org/m/x-00001-of-00002.fp16.safetensors': null };
  for (const [address, weights] of Object.entries(named)) assert.equal(folderOf(address).weights, weights, address);
});
