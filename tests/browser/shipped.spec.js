// The shipped models as a visitor has them: chosen by picture, loaded when asked for, and giving the picture that diffusers gives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertFaultless, note, test } from './support/harness.js';
import { canvas, control, generate, pixels, ready, settings } from './support/page.js';
import { readTensors } from './support/safetensors.js';

const here = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url));
const models = JSON.parse(String(here('../../www/models/index.json')));

for (const { id, title, of, path, bytes, defaults } of models) {
  test(`${title}: its size is shown before it is fetched, and its picture is diffusers' within 2 of 255`, async ({ open }) => {
    const [{ seed, class: label }] = JSON.parse(String(here(`../fixtures/pipelines/${id}.json`)));
    const { data: expected, shape: [, channels, height, width] } = readTensors(here(`../fixtures/pipelines/${id}.safetensors`))['page.sample'];
    const { classes } = JSON.parse(String(here(`../../www/${path}labels.json`)));

    // The flowers' 50 passes take SwiftShader a minute, so they are drawn where a page without a GPU draws them.
    const page = await open(id === 'flowers64' ? { path: '?device=cpu' } : {});
    /** @type {string[]} */ const fetched = [];
    page.on('request', (request) => { if (request.url().endsWith('.safetensors')) fetched.push(request.url()); });
    await ready(page);
    const size = `${(bytes / 1e6).toFixed(1)} MB`;
    const best = models.find((/** @type {{ id: string }} */ one) => one.id === (of ?? id));
    await page.getByRole('button', { name: new RegExp(`${best.title}.*${(best.bytes / 1e6).toFixed(1)} MB`) }).click();
    if (of) await page.getByRole('group', { name: `Ways to make ${best.title}` }).getByRole('button', { name: /^Fast/ }).click();
    await page.getByText(`${size}, fetched from this site when it is first used.`).waitFor();
    const fields = ['Sampler', 'Steps', 'Guidance'].map((name) => control(page, name).inputValue());
    assert.deepEqual(await Promise.all(fields), [defaults.sampler, String(defaults.steps), String(defaults.guidance)]);
    await settings(page, { Class: classes[label], Seed: seed, Count: 1 });
    assert.deepEqual(fetched, []);
    assert.match(await generate(page), /^Done/);
    assert.equal(fetched.length, 1, String(fetched));

    const shown = await pixels(canvas(page, 'The samples x t'));
    assert.deepEqual([shown.width, shown.height], [width, height]);
    let worst = 0;
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < width * height; i++) {
        const shade = Math.min(1, Math.max(-1, expected[c * width * height + i])) / 2 + 0.5;
        worst = Math.max(worst, Math.abs(Math.round(255 * shade) - shown.data[4 * i + c]));
      }
    }
    note(`${worst} of 255`);
    assert.ok(worst <= 2, `${worst} of 255`);
    assertFaultless(page);
  });
}
