// A network of a million random weights, in the files that diffusers saves; see tests/fixtures/README.md.
import { readFileSync } from 'node:fs';
import { fill } from './recipe.js';
import { writeTensors } from './safetensors.js';

const fixture = (/** @type {string} */ name) => readFileSync(new URL(`../../fixtures/unets/32-64/${name}`, import.meta.url));

/** `{ name: Buffer }`: images of 3 × 16 × 16, no classes. */
export function smallModel() {
  const { seed, gain } = JSON.parse(String(fixture('case.json')));
  const config = fixture('config.json');
  return { 'config.json': config, 'diffusion_pytorch_model.safetensors': writeTensors(fill(JSON.parse(String(config)), seed, gain).tensors) };
}

/** What PyTorch gives for it in a row of www/known.json: logits[0, 0, 0, :10] for randn(1, 3, 16, 16) of seed 0 at t = 10. */
export const SMALL = {
  name: 'small', parameters: 1002883, channels: 3, size: 16,
  logits: [0.362, 0.4904, -0.0106, 0.1889, 0.3853, 0.569, 0.4699, -0.04, 0.2781, 0.0375],
};

/** Answers for www/known.json with other checkpoints. */
export const knowing = (/** @type {(typeof SMALL)[]} */ ...checkpoints) => ({
  '**/known.json': async (/** @type {import('@playwright/test').Route} */ route) => {
    const table = JSON.parse(await (await route.fetch()).text());
    await route.fulfill({ json: { ...table, checkpoints } });
  },
});

/**
 * Opens the files on the page as a visitor does, and waits until that is said.
 * @param {import('@playwright/test').Page} page
 * @param {Record<string, Buffer>} files
 */
export async function openFiles(page, files, sentence = /^Opened/) {
  const picker = page.getByLabel('Checkpoint files');
  if (!(await picker.isVisible())) await page.getByText('Open another').click();
  await picker.setInputFiles(Object.entries(files).map(([name, buffer]) => ({ name, mimeType: '', buffer })));
  await page.getByRole('status').filter({ hasText: sentence }).waitFor();
}
