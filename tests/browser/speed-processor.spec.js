// The section "Speed" without a GPU: the same but for the peaks, what axe-core finds in it, and its pictures.
import assert from 'node:assert/strict';
import { violations } from './support/axe.js';
import { assertFaultless, test } from './support/harness.js';
import { button, ready, status } from './support/page.js';
import { assertConsistent, measure, ratio, shown } from './support/speed.js';

test.use({ gpu: false });

for (const [name, context] of /** @type {[string, import('@playwright/test').BrowserContextOptions][]} */ ([
  ['light', { viewport: { width: 1440, height: 900 } }], ['dark', { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' }], ['phone', { viewport: { width: 390, height: 844 } }],
])) {
  test(`the processor is measured without peaks, and said to be: ${name}`, async ({ open }) => {
    const page = await open({ context });
    await ready(page);
    await page.getByRole('navigation', { name: 'Contents' }).getByRole('link', { name: 'Speed' }).click();
    assert.ok(!(await page.locator('#speed-kernels').isVisible()) && !(await button(page, 'Copy as JSON').isVisible()), 'nothing empty is there');
    assert.equal(await ratio(page, 50), 'Measure this device to see the ratio.');
    const { said, json } = await measure(page);
    assert.match(said, /^Done: a pass of MNIST digits takes \S+ ms on the processor, a step of training \S+ m?s\.$/);
    await assertConsistent(page, json, 'cpu');
    assert.match(await page.locator('#speed-about').innerText(), /There is no WebGPU here, so the peaks of an adapter are left out/);
    assert.equal(json.kernels.clock, 'processor');
    assert.equal(json.onnxRuntimeMs, 50);
    assert.match(await ratio(page, json.pass.ms), /^Pollen takes 1\.000 times as long/);
    assert.equal(await ratio(page, -1), '');
    assert.deepEqual(await violations(page, '#speed'), []);
    const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= view, `${content} px of content in ${view} px`);
    await page.locator('#speed').screenshot({ path: new URL(`../../target/screenshots/speed-${name}.png`, import.meta.url).pathname });
    assertFaultless(page);
  });
}

test('Cancel ends it, and it can be measured again', async ({ open }) => {
  const page = await open();
  await ready(page);
  await button(page, 'Measure this device').click();
  await status(page).filter({ hasText: /^Timing passes/ }).waitFor();
  await page.keyboard.press('Escape');
  await status(page).filter({ hasText: /^Cancelled after/ }).waitFor();
  assert.deepEqual(await shown(page), {});
  const { json } = await measure(page);
  await assertConsistent(page, json, 'cpu');
  assertFaultless(page);
});
