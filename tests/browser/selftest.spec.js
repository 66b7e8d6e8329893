// The self-test of an opened checkpoint: noise and numbers are PyTorch's.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { button, ready } from './support/page.js';
import { knowing, openFiles, SMALL, smallModel } from './support/small.js';

test.use({ gpu: false });
const files = smallModel();
const off = (/** @type {string} */ name, /** @type {number} */ by) => ({ ...SMALL, name, logits: SMALL.logits.map((value) => value + by) });

test('a known checkpoint passes, one with other numbers does not, and one of another shape has nothing to be tested against', async ({ open }) => {
  /** @type {(typeof SMALL)[]} */ let rows = [];
  const page = await open({ serve: { '**/known.json': (route) => knowing(...rows)['**/known.json'](route) } });
  await ready(page);
  /** @type {[(typeof SMALL)[], RegExp, RegExp][]} */
  const cases = [
    [[off('other', 0.3), SMALL, off('near', 0.004)], /passed: this is small\b/, /^Opened .*, whose self-test passed/],
    [[off('near', 0.004), off('other', -0.3)], /not passed.*shape of near .*off by 0\.00[34]/, /^Opened .*, whose self-test did not pass/],
    [[{ ...SMALL, parameters: SMALL.parameters + 1 }, { ...SMALL, size: 32 }], /No known numbers/, /^Opened .*parameters\. Press/],
  ];
  for (const [table, badge, sentence] of cases) {
    rows = table;
    await openFiles(page, files, sentence);
    assert.match(await page.locator('#badge').innerText(), badge);
  }
  assertFaultless(page);
});

test('a test that would take the processor long is offered, not run', async ({ open }) => {
  const page = await open();
  await ready(page);
  const config = { ...JSON.parse(String(files['config.json'])), sample_size: 256 };
  await openFiles(page, { ...files, 'config.json': Buffer.from(JSON.stringify(config)) });
  const badge = page.locator('#badge');
  assert.match(await badge.innerText(), /takes a while/);
  await button(page, 'Run the self-test').click();
  await badge.filter({ hasText: 'No known numbers' }).waitFor();
});

test('the noise is what torch.randn gives', async ({ open }) => {
  const page = await open();
  await ready(page);
  const noise = await page.evaluate(async () => [...await window.pollen.randn({ seed: 0, shape: [1, 2, 2, 4] })]);
  const torch = [-1.12583983, -1.15236020, -0.25057858, -0.43387881, 0.84871036, 0.69200915, -0.31601277, -2.11521935, 0.32227492, -1.26333475, 0.34998319, 0.30813393, 0.11984151, 1.23765790, 1.11677718, -0.24727815];
  torch.forEach((value, i) => assert.ok(Math.abs(value - noise[i]) < 1e-6, `${i}: ${noise[i]}`));
});
