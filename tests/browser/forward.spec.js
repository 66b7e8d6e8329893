// The forward chain on the visitor's own picture.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { jpeg, png, withOrientation } from './support/images.js';
import { alert, button, canvas, control, diffuse, listen, objection, outcome, pixels, ready, status, upload } from './support/page.js';

test.use({ gpu: false }); // for the same chain on a GPU see chains-gpu.spec.js

const before = /^The picture before any noise/;
const RED = [255, 0, 0, 255], GREEN = [0, 128, 0, 255], BLUE = [0, 0, 255, 255], WHITE = [255, 255, 255, 255];
const near = (/** @type {number[]} */ actual, /** @type {number[]} */ wanted, /** @type {number} */ tolerance) => wanted.every((value, i) => Math.abs(value - actual[i]) <= tolerance);

/**
 * The four quarters' colours of the picture as it will be diffused.
 * @param {import('@playwright/test').Page} page
 */
async function quarters(page) {
  const { width, height, at } = await pixels(canvas(page, before));
  return [[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]].map(([x, y]) => at(Math.round(x * width), Math.round(y * height)));
}

/**
 * @param {import('@playwright/test').Page} page
 * @param {number[][]} wanted
 * @param {number} tolerance
 */
async function assertQuarters(page, wanted, tolerance) {
  const found = await quarters(page);
  assert.ok(wanted.every((colour, i) => near(found[i], colour, tolerance)), JSON.stringify(found));
}

/** Resolves once the page has taken the picture of that name. */
const taken = (/** @type {import('@playwright/test').Page} */ page, /** @type {string} */ name) => canvas(page, new RegExp(`before any noise.*${name}`)).waitFor();

test('a PNG is uploaded and diffused to noise, each step drawn and told', async ({ open }) => {
  const page = await open();
  await ready(page);
  await upload(page, 'flag.png', png(96, 64, (x) => (x < 48 ? RED : BLUE)));
  await taken(page, 'flag.png');
  await assertQuarters(page, [RED, BLUE, RED, BLUE], 3);
  const told = await listen(page);
  assert.match(await diffuse(page), /^Done.*on the processor/);
  const { progress } = await told();
  assert.ok(progress.length > 20 && progress.every((value, i) => value >= 0 && value <= 100 && (i === 0 || value >= progress[i - 1])), String(progress));
  const { data } = await pixels(canvas(page, /^The picture at timestep/));
  const spread = new Set(data.filter((_, i) => i % 4 === 0)).size;
  assert.ok(spread > 100, `${spread} shades of red in what should be noise`);
  assertFaultless(page);
});

test('a JPEG that says it lies on its side stands upright', async ({ open }) => {
  const page = await open();
  await ready(page);
  const file = await jpeg(page, 128, 128, ['red', 'green', 'blue', 'white']);
  await upload(page, 'plain.jpg', file);
  await taken(page, 'plain.jpg');
  await assertQuarters(page, [RED, GREEN, BLUE, WHITE], 20);
  for (const [orientation, wanted] of /** @type {[number, number[][]][]} */ ([[3, [WHITE, BLUE, GREEN, RED]], [6, [BLUE, RED, WHITE, GREEN]], [8, [GREEN, WHITE, RED, BLUE]]])) {
    await upload(page, `turned-${orientation}.jpg`, withOrientation(file, orientation));
    await taken(page, `turned-${orientation}.jpg`);
    await assertQuarters(page, wanted, 20);
  }
  assert.match(await diffuse(page), /^Done/);
  assertFaultless(page);
});

test('what is transparent lies over white; the middle square is taken', async ({ open }) => {
  const page = await open();
  await ready(page);
  await upload(page, 'wide.png', png(300, 100, (x, y) => (x < 100 || x >= 200 ? RED : y < 50 ? [0, 0, 0, 0] : [0, 0, 255, 128])));
  await taken(page, 'wide.png');
  await assertQuarters(page, [WHITE, WHITE, [127, 127, 255, 255], [127, 127, 255, 255]], 4);
});

test('pictures can be dropped and pasted', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [kind, colour] of /** @type {[string, number[]][]} */ ([['drop', RED], ['paste', BLUE]])) {
    const bytes = [...png(64, 64, () => colour)];
    await page.evaluate(([kind, bytes]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(bytes)], `${kind}.png`, { type: 'image/png' }));
      const event = kind === 'drop'
        ? new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
        : new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    }, /** @type {[string, number[]]} */ ([kind, bytes]));
    await taken(page, `${kind}.png`);
    await assertQuarters(page, [colour, colour, colour, colour], 3);
  }
});

test('step by step and in one jump have the same marginal: mean √ᾱ_t·x_0, variance 1 − ᾱ_t', async ({ open }) => {
  const page = await open();
  await ready(page);
  const rows = await page.evaluate(async () => {
    const size = 64, channels = 3, n = channels * size * size;
    const image = Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.37));
    await window.pollen.diffuse({ image, channels, height: size, width: size, seed: 11 });
    const { alphaBar } = await window.pollen.schedule();
    const rows = [];
    for (const way of /** @type {const} */ (['chain', 'jump'])) {
      for (const t of [1, 10, 100, 500, 1000]) {
        const { sample = new Float32Array() } = await window.pollen.forwardFrame({ t, way, tensor: true });
        const noise = sample.map((x, i) => (x - Math.sqrt(alphaBar[t]) * image[i]) / Math.sqrt(1 - alphaBar[t]));
        const mean = noise.reduce((a, b) => a + b, 0) / n;
        const variance = noise.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
        const overlap = noise.reduce((a, b, i) => a + b * image[i], 0) / n; // of the noise with the picture
        rows.push({ way, t, n, mean, variance, overlap });
      }
    }
    return rows;
  });
  for (const { way, t: step, n, mean, variance, overlap } of rows) {
    const name = `${way}, t = ${step}`;
    assert.ok(Math.abs(mean) < 4.5 / Math.sqrt(n), `${name}: mean ${mean}`);
    assert.ok(Math.abs(variance - 1) < 4.5 * Math.sqrt(2 / n), `${name}: variance ${variance}`);
    assert.ok(Math.abs(overlap) < 4.5 / Math.sqrt(n), `${name}: overlap ${overlap}`);
  }
});

test('after a run the slider goes back through it, and the switch shows the one jump', async ({ open }) => {
  const page = await open();
  await ready(page);
  await control(page, 'Length T').fill('100');
  assert.match(await diffuse(page), /^Done: 100 steps from the daisy to t = 100 in .* 36 % of the picture’s variance is left: it is not noise yet/);
  const slider = control(page, 'Timestep t');
  const noisy = (await pixels(canvas(page, /^The picture at timestep 100/))).data;
  await slider.fill('0');
  const start = (await pixels(canvas(page, before))).data;
  assert.notDeepEqual(start, noisy);
  await slider.fill('50');
  const chain = (await pixels(canvas(page, /^The picture at timestep 50 /))).data;
  assert.notDeepEqual(chain, noisy);
  await page.getByRole('switch').click();
  const jumped = canvas(page, /^The picture at timestep 50 .*one jump/);
  await jumped.waitFor();
  await assert.doesNotReject(page.waitForFunction(
    ([element, chain]) => element.getContext('2d')?.getImageData(0, 0, element.width, element.height).data.some((v, i) => v !== chain[i]),
    /** @type {[import('@playwright/test').ElementHandle<HTMLCanvasElement>, number[]]} */ ([await jumped.elementHandle(), chain]),
  ));
  await slider.fill('100');
  assertFaultless(page);
});

test('sizes, colours and schedules from one end of their range to the other', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [size, colour, schedule, length] of /** @type {const} */ ([[28, 'Grey', 'Cosine in ᾱ', 1], [256, 'Colour', 'Geometric', 12], [33, 'Grey', 'Sigmoid', 40]])) {
    await control(page, 'Size, pixels').fill(String(size));
    await control(page, 'Colour').selectOption({ label: colour });
    await control(page, 'Schedule of β').selectOption({ label: schedule });
    await control(page, 'Length T').fill(String(length));
    assert.match(await diffuse(page), /^Done/);
    const { width, height } = await pixels(canvas(page, /^The picture at timestep/));
    assert.deepEqual([width, height], [size, size]);
  }
  assertFaultless(page);
});

test('settings out of range are named, and the page goes on', async ({ open }) => {
  const page = await open();
  await ready(page);
  for (const [name, value, good] of [['Size, pixels', '27', '64'], ['Length T', '0', '20'], ['Last, βT', '1', '0.02']]) {
    const field = control(page, name);
    await field.fill(value);
    assert.match(await objection(page, () => button(page, 'Diffuse').click()), /from .* to /);
    await field.fill(good);
  }
  assert.match(await diffuse(page), /^Done/);
  await alert(page).filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
});

test('Cancel stops the run, and another can follow', async ({ open }) => {
  const page = await open();
  await ready(page);
  await control(page, 'Length T').fill('10000');
  const run = outcome(page, () => button(page, 'Diffuse').click(), 20_000);
  await page.waitForFunction((bar) => Number(bar.getAttribute('aria-valuenow')) > 0, await page.locator('[role=progressbar]').elementHandle());
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: 'ancel' }).waitFor();
  await button(page, 'Cancel').and(page.locator(':disabled')).waitFor();
  run.catch(() => {});
  await control(page, 'Length T').fill('10');
  assert.match(await diffuse(page), /^Done/);
});

test('each formula has a sentence before it that says it in words; the formula and its numbers stand beside the picture, what is behind it is folded', async ({ open }) => {
  const page = await open({ context: { viewport: { width: 1440, height: 900 } } });
  await ready(page);
  const maths = page.locator('#forward .maths'), fold = maths.getByText(/^Go deeper/);
  await fold.click(); // the tests’ pages have what is folded open
  await page.evaluate(() => document.querySelector('#forward .stage')?.scrollIntoView());
  await control(page, 'Timestep t').fill('300');
  const beside = async () => {
    const formulas = await maths.locator('math[display=block]:visible').all();
    assert.equal(formulas.length, 2, 'the formula and its numbers');
    for (const formula of formulas) {
      const before = await formula.evaluate((math) => math.parentElement?.previousElementSibling?.textContent ?? '');
      assert.match(before, /^[A-Z].{20,}:$/);
      assert.doesNotMatch(before, /[=√𝒩ᾱβ]/);
      const box = await formula.boundingBox(), picture = await page.locator('#forward-frame').boundingBox();
      assert.ok(box && picture && box.y >= picture.y && box.y + box.height <= picture.y + picture.height, JSON.stringify([box, picture]));
    }
  };
  await beside();
  await maths.locator('.live:visible').filter({ hasText: '0.6296' }).waitFor();
  await control(page, 'Length T').fill('20');
  await diffuse(page);
  await page.getByRole('switch', { name: /In one jump/ }).uncheck();
  await beside();
  await fold.click();
  for (const formula of await maths.locator('details math[display=block]').all()) assert.ok(await formula.isVisible());
  await page.getByRole('slider', { name: 'β by timestep' }).waitFor();
  assert.ok(await maths.locator('math[display=block]:visible').count() >= 6);
  assertFaultless(page);
});
