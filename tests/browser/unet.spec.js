// The U-Net, open: the blocks of the loaded model at the film's frame, and every number made again from those that it comes of.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, done, generate, objection, pixels, settings } from './support/page.js';
import { openFiles, smallModel } from './support/small.js';

/** @import { Page } from '@playwright/test' */
test.use({ gpu: false });
/** @type {Page} */ let page;
share((opened) => { page = opened; });

const blocks = () => page.locator('#u-network').getByRole('button'), operations = () => page.getByRole('group', { name: 'The operations of the block' }).getByRole('button');
const look = () => done(page, () => button(page, 'Look inside').click());

/** The number that was made again, and that of the device, once they are those of the operation that is chosen. */
async function numbers() {
  const place = await operations().and(page.locator('[aria-pressed=true]')).getAttribute('data-place');
  await page.waitForFunction((wanted) => document.querySelector('#u-sum')?.getAttribute('data-place') === wanted, place);
  return page.locator('#u-sum').evaluate(({ dataset: { total, computed } }) => ({ total: Number(total), computed: Number(computed) }));
}

/** Goes through all operations of a block; their names. */
async function through(/** @type {import('@playwright/test').Locator} */ block) {
  await block.click();
  await page.waitForFunction((button) => button?.getAttribute('aria-pressed') === 'true', await block.elementHandle());
  const names = await operations().evaluateAll((all) => all.map((one) => one.textContent));
  for (const [i, name] of names.entries()) {
    const one = operations().nth(i);
    await one.click();
    await page.waitForFunction((button) => button?.getAttribute('aria-pressed') === 'true', await one.elementHandle());
    const { total, computed } = await numbers();
    assert.ok(Math.abs(total - computed) <= 1e-5 * Math.max(1, Math.abs(computed)), `${name}: ${total} for ${computed}`);
  }
  return names;
}

test('before any run it opens at the noise of the seed; every kind of operation, number by number', async () => {
  await settings(page, { Class: 'Any', Seed: 4 });
  assert.match(await look(), /^Done: what 138 operations of MNIST digits make of xₜ at t = 1000/);
  const names = await blocks().evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
  assert.equal(names.length, 22, names.join('\n'));
  assert.equal(names[1], 'in 32 channels of 28×28, conv_in');
  const block = (/** @type {string} */ name) => page.locator('#u-network').getByRole('button', { name });
  const found = [];
  for (const name of ['t and class', 'conv_in', 'down_blocks.0.downsamplers.0', 'mid_block.attentions.0', 'up_blocks.1.resnets.0', 'up_blocks.1.upsamplers.0', 'conv_out']) found.push(...await through(block(name)));
  for (const name of ['first layer', 'plus the class', 'the time for every block', 'convolution', 'queries, keys, values', 'attention', 'mixed', 'joined with the way down', 'shortcut', 'plus the time', 'plus what came in', 'enlarged', 'normalised', 'SiLU']) {
    assert.ok(found.some((one) => one?.startsWith(name)), `${name} among ${found.join('; ')}`);
  }
});

test('a pixel is picked by pointer or by keys; the window adds up; attention looks all about', async () => {
  if (!(await blocks().count())) await look();
  await page.locator('#u-network').getByRole('button', { name: 'down_blocks.0.resnets.0' }).click();
  await operations().filter({ hasText: 'conv2' }).click();
  await page.getByRole('heading', { name: 'conv2, 3×3' }).waitFor();
  await control(page, 'Channel of the layer').fill('5');
  await control(page, 'Column of the layer’s pixel').fill('0');
  await control(page, 'Row of the layer’s pixel').fill('27');
  await canvas(page, 'Channel 5; the pixel in column 0, row 27 is picked').waitFor();
  const corner = await numbers();
  assert.ok(Math.abs(corner.total - corner.computed) <= 1e-5, JSON.stringify(corner));
  const input = control(page, 'Input channel');
  await input.fill('2');
  await page.getByText(/^Input channel 2 adds/).waitFor();
  const cells = async (/** @type {string} */ caption) => (await page.getByRole('table', { name: caption }).getByRole('cell').allTextContents()).map((text) => Number(text.replace('−', '-').replace(/ × 10⁻(.)/, (_, digit) => `e-${'⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)}`)));
  const [read, weights, products] = [await cells('what the layer read'), await cells('weights'), await cells('products')];
  for (const edge of [0, 3, 6, 7, 8]) assert.equal(read[edge], 0, `beyond the edge: ${read}`);
  for (const [i, product] of products.entries()) assert.ok(Math.abs(product - read[i] * weights[i]) <= 2e-3 * Math.abs(product) + 1e-9, `${read[i]} × ${weights[i]} = ${product}`);
  const adds = Number(/adds (\S+)\.$/.exec(String(await page.locator('#u-window-sum').textContent()))?.[1].replace('−', '-'));
  assert.ok(Math.abs(adds - products.reduce((sum, product) => sum + product, 0)) < 2e-3, `${adds}, ${products}`);

  const picture = page.locator('#u-channel'), box = /** @type {{ x: number, y: number, width: number, height: number }} */ ((await picture.scrollIntoViewIfNeeded(), await picture.boundingBox()));
  await page.mouse.click(box.x + box.width * 0.74, box.y + box.height * 0.3);
  await canvas(page, 'Channel 5; the pixel in column 20, row 8 is picked').waitFor();
  assert.deepEqual((await pixels(picture)).at(20, 8), [255, 255, 255, 255]);

  await page.locator('#u-network').getByRole('button', { name: 'mid_block.attentions.0' }).click();
  await operations().and(page.locator('[aria-label^="attention,"]')).click();
  await canvas(page, /^Where the pixel in column 6, row 6 looks, head 4$/).waitFor();
  assert.equal(await canvas(page, /^Where the pixel/).count(), 4);
});

test('it follows the film, frame by frame, in what the chosen block shows too', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 4, Seed: 2, Count: 1 });
  await generate(page);
  await control(page, 'Frame').and(page.locator('#reverse-frame')).fill('1');
  const said = await look();
  const first = await pixels(page.locator('#u-network canvas').first()), slider = page.getByRole('slider', { name: 'Frame of the film' });
  assert.match(said, /at t = (\d+)/);
  const before = await slider.getAttribute('aria-valuetext');
  await slider.fill('3');
  await page.waitForFunction((was) => document.querySelector('#u-frame')?.getAttribute('aria-valuetext') !== was, before);
  assert.notDeepEqual((await pixels(page.locator('#u-network canvas').first())).data, first.data);
  await through(page.locator('#u-network').getByRole('button', { name: 'mid_block.resnets.0' }));
});

test('a model from files opens as well; after another was loaded the page asks to look again', async () => {
  await openFiles(page, smallModel());
  const stale = await objection(page, () => page.locator('#u-network').getByRole('button', { name: 'conv_out' }).click());
  assert.match(stale, /Another model has been loaded since\. Press “Look inside” again/);
  assert.match(await objection(page, () => operations().first().click()), /Another model has been loaded since/);
  await settings(page, { Steps: 2, Sampler: 'DDIM', Count: 1 });
  await generate(page);
  await look();
  const found = await through(page.locator('#u-network').getByRole('button', { name: 'down_blocks.1.attentions.0' }));
  assert.ok(found.some((name) => name?.startsWith('attention')), found.join('; '));
  assertFaultless(page);
});
