// Models by picture, with their own settings; kept for the next visit, and forgotten.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { figure } from '../../www/ui/numbers.js';
import { assertFaultless, test } from './support/harness.js';
import { alert, button, control, generate, objection, ready, settings, status } from './support/page.js';
import { openFiles, smallModel } from './support/small.js';

test.use({ gpu: false });
const WWW = new URL('../../www/', import.meta.url);
const files = smallModel();
const BIG = { id: 'big', title: 'Big flowers', path: 'models/big/', bytes: 40e6, files: [], defaults: { sampler: 'dpmpp-2m', steps: 15, guidance: 1.5, clip: true, class: 1 } };
const models = (/** @type {(list: object[]) => object[]} */ edit) => ({
  '**/models/index.json': async (/** @type {import('@playwright/test').Route} */ route) => route.fulfill({ json: edit(JSON.parse(await (await route.fetch()).text())) }),
});
const values = (/** @type {import('@playwright/test').Page} */ page) => Promise.all(['Sampler', 'Steps', 'Guidance'].map((name) => control(page, name).inputValue()));

test('a model is chosen by its picture, by keyboard too; its size is shown, its settings apply, and it is not loaded unasked', async ({ open }) => {
  const names = ['rose', 'iris'];
  const page = await open({
    serve: {
      ...models((list) => [...list, BIG]),
      '**/models/big/labels.json': (/** @type {import('@playwright/test').Route} */ route) => route.fulfill({ json: { classes: names, any: 2 } }),
    },
  });
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await ready(page);
  const card = page.getByRole('button', { name: /Big flowers.*40\.0 MB/ });
  await card.focus();
  await page.keyboard.press('Enter');
  assert.equal(await control(page, 'Model').inputValue(), 'big');
  assert.equal(await card.getAttribute('aria-pressed'), 'true');
  await card.and(page.locator(':focus')).waitFor();
  assert.deepEqual(await values(page), ['dpmpp-2m', '15', '1.5']);
  assert.ok(await page.getByRole('checkbox', { name: /within/ }).isChecked());
  const classes = control(page, 'Class');
  assert.deepEqual(await classes.locator('option').allInnerTexts(), ['Any', 'iris', 'rose']);
  assert.equal(await classes.locator('option:checked').innerText(), 'iris');
  await settings(page, { Class: 'rose' });
  names.push('tulip');
  await card.click();
  await classes.locator('option', { hasText: 'tulip' }).waitFor({ state: 'attached' });
  assert.equal(await classes.locator('option:checked').innerText(), 'rose');
  await page.getByText(/40\.0 MB, fetched from this site when it is first used/).waitFor();
  await settings(page, { Sampler: 'DDIM' });
  assert.deepEqual(await values(page), ['ddim', '20', '1']);
  await settings(page, { Sampler: 'DPM-Solver++ 2M' });
  assert.deepEqual(await values(page), ['dpmpp-2m', '15', '1.5']);
  await settings(page, { Model: 'MNIST digits' });
  assert.equal(await page.getByRole('button', { name: /MNIST digits/ }).getAttribute('aria-pressed'), 'true');
  assert.ok(!asked.some((url) => url.endsWith('.safetensors')), String(asked));
  assertFaultless(page);
});

test('an opened model is kept, is there at the next visit, and can be forgotten', async ({ open }) => {
  const page = await open();
  await ready(page);
  await openFiles(page, files);
  await settings(page, { Sampler: 'DDIM', Steps: 2, Count: 1 });
  await generate(page);
  await button(page, 'Keep for the next visit').click();
  await status(page).filter({ hasText: /^Kept U-Net 16×16, 1\.0 M parameters/ }).waitFor();
  const sample = () => page.evaluate(async () => [...(await window.pollen.generate({ steps: 2, seed: 4 })).sample]);
  const first = await sample();
  await page.reload();
  await ready(page);
  const option = control(page, 'Model').locator('option', { hasText: '(kept)' });
  await option.waitFor({ state: 'attached' });
  await control(page, 'Model').selectOption({ label: await option.innerText() });
  await page.locator('[aria-pressed=true] img').waitFor(); // the picture it made
  await settings(page, { Steps: 2, Count: 1 });
  assert.match(await generate(page), /^Done/);
  assert.deepEqual(await sample(), first);
  await button(page, 'Forget').click();
  await status(page).filter({ hasText: /^Forgot/ }).waitFor();
  await page.reload();
  await ready(page);
  assert.deepEqual(await control(page, 'Model').locator('option').allInnerTexts(), ['MNIST digits', 'MNIST digits, fast', 'Oxford Flowers', 'Oxford Flowers, fast']);
  assert.equal(await page.evaluate(async () => (await (await caches.open('pollen-models')).keys()).length), 0);
  assertFaultless(page);
});

test('where there is no room, or the browser keeps nothing, that is said, and nothing is left half-kept', async ({ open }) => {
  const page = await open();
  await ready(page);
  await openFiles(page, files);
  for (const [name, sentence] of /** @type {[string, RegExp][]} */ ([['QuotaExceededError', /no room to keep .*4\.0 MB.*free/], ['SecurityError', /does not let the page keep/]])) {
    await page.evaluate((name) => {
      const put = Cache.prototype.put;
      Cache.prototype.put = async function (request, response) {
        if (String(request).endsWith('.safetensors')) throw new DOMException('no', name);
        return put.call(this, request, response);
      };
    }, name);
    assert.match(await objection(page, () => button(page, 'Keep for the next visit').click()), sentence);
    assert.equal(await page.evaluate(async () => (await (await caches.open('pollen-models')).keys()).length), 0);
  }
  await settings(page, { Sampler: 'DDIM', Steps: 1, Count: 1 });
  assert.match(await generate(page), /^Done/);
});

test('a model with a faster way has both in its card, with passes and quality', async ({ open }) => {
  const both = models((list) => {
    const best = /** @type {{ id: string, title: string }} */ (list[0]);
    const fast = { ...best, id: 'fast', title: `${best.title}, fast`, of: best.id, passes: 2, quality: '98 % read as asked', defaults: { sampler: 'ddim', steps: 2, guidance: 1, clip: true } };
    return [{ ...best, passes: 40, quality: '99.9 % read as asked' }, fast, ...list.slice(1).filter((one) => !('of' in one))];
  });
  const page = await open({ serve: both });
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await ready(page);
  const ways = page.getByRole('group', { name: 'Ways to make MNIST digits' });
  const fast = ways.getByRole('button', { name: /Fast.*2 steps, 1 pass each = 2 passes, 98 % read as asked/ }), best = ways.getByRole('button', { name: /Best.*20 steps, 2 passes each with guidance = 40 passes, 99\.9 % read as asked/ });
  await fast.click();
  assert.deepEqual(await values(page), ['ddim', '2', '1']);
  assert.equal(await best.getAttribute('aria-pressed'), 'false');
  assert.ok(!asked.some((url) => url.endsWith('.safetensors')), 'nothing of it is fetched before it is asked for');
  await best.focus();
  await page.keyboard.press('Enter');
  assert.equal(await control(page, 'Model').inputValue(), 'mnist');
  assert.deepEqual(await values(page), ['dpmpp-2m', '20', '2']);
  // The settings say the same in the same words, as they stand.
  await page.getByText('For each picture 20 steps, 1 pass each = 20 passes. There is no guidance without a class.', { exact: true }).waitFor();
  await settings(page, { Class: '3' });
  await page.getByText('For each picture 20 steps, 2 passes each with guidance = 40 passes.', { exact: true }).waitFor();
  await settings(page, { Sampler: 'Heun', Steps: 5 });
  await page.getByText('For each picture 5 steps, 9 predictions, 1 pass each = 9 passes.', { exact: true }).waitFor();
  await best.click();
  assert.equal(await best.getAttribute('aria-pressed'), 'true');
  await fast.click();
  assert.equal(await control(page, 'Model').inputValue(), 'fast');
  // The race offers both ways, and neither where a model has one.
  const race = [control(page, 'Network of sampler 1'), button(page, 'Best beside Fast')];
  for (const part of race) await part.waitFor();
  await settings(page, { Model: 'Oxford Flowers' });
  for (const part of race) assert.ok(!await part.isVisible());
});

test('without a GPU a model that is chosen by its card begins with Fast too, until a way is named', async ({ open }) => {
  const none = { '**/*.safetensors': (/** @type {import('@playwright/test').Route} */ route) => route.abort() };
  const chooses = async (/** @type {string} */ path, /** @type {string} */ card, /** @type {string} */ model) => {
    const page = await open({ path, serve: none });
    await ready(page);
    await page.getByText('Example: 16 pictures that MNIST digits').first().waitFor();
    await page.getByRole('group', { name: 'Models' }).getByRole('button', { name: card }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((id) => /** @type {HTMLSelectElement} */ (document.getElementById('r-model')).value === id, model);
    return page;
  };
  const page = await chooses('?device=cpu&way=', 'Oxford Flowers, fast 25.6 MB', 'flowers64-fast');
  assert.deepEqual(await values(page), ['ddim', '2', '1.5']);
  const flowers = page.getByRole('group', { name: 'Ways to make Oxford Flowers' });
  await flowers.getByRole('button', { name: /Best/ }).click();
  assert.deepEqual(await values(page), ['unipc', '25', '3']);
  await page.getByRole('button', { name: 'Oxford Flowers 25.6 MB' }).click(); // its card, which stays with that
  assert.equal(await control(page, 'Model').inputValue(), 'flowers64');
  await settings(page, { Model: 'MNIST digits' }); // by its name
  assert.equal(await control(page, 'Model').inputValue(), 'mnist');
  assertFaultless(page);
  await chooses('?device=cpu&way=best', 'Oxford Flowers 25.6 MB', 'flowers64');
  await chooses('?device=cpu&way=#model=mnist', 'Oxford Flowers', 'flowers64-fast');
});

test('what fewer passes cost is drawn from the numbers that the models were measured at', async ({ open }) => {
  const page = await open();
  await ready(page);
  const listed = /** @type {import('../../www/sections/models/entry.js').Entry[]} */ (JSON.parse(readFileSync(new URL('models/index.json', WWW), 'utf8')));
  for (const [title, id] of [['MNIST digits', 'mnist-fast'], ['Oxford Flowers', 'flowers64-fast']]) {
    await settings(page, { Model: title });
    const { evaluation } = JSON.parse(readFileSync(new URL(`models/${id}/record.json`, WWW), 'utf8'));
    const measured = [...Object.values(evaluation.rows), ...Object.values(evaluation.earlier[0].rows)];
    const curve = listed.find((one) => one.id === id)?.curve;
    assert.ok(curve && curve.count === evaluation.count);
    const box = page.locator('#quality');
    if (title === 'MNIST digits') await box.getByText('What fewer passes cost').click();
    for (const [name, key, field, times] of /** @type {[string, 'fid' | 'read' | 'recall', string, number][]} */ ([['FID', 'fid', 'fid', 1], ['Read as asked', 'read', 'accuracy', 100], ['Recall of real pictures', 'recall', 'recall', 100]])) {
      await settings(page, { Measure: name });
      const chart = box.getByRole('slider', { name: `${name} by passes of the network` });
      await chart.press('Home');
      for (const { points, of } of curve.series) {
        for (const point of points) {
          assert.ok(measured.some((row) => row.passes === point.passes && Math.abs(row[field] - point[key]) <= 5e-4), `${id} ${of}: ${JSON.stringify(point)}`);
        }
      }
      // Every point is drawn, with a mark of its series, and stands in the table.
      assert.equal(await chart.locator('path.mark').count(), curve.series.reduce((sum, { points }) => sum + points.length, 0));
      assert.equal(new Set(await box.locator('.legend path').evaluateAll((all) => all.map((mark) => mark.getAttribute('d')))).size, curve.series.length);
      /** @type {import('../../www/sections/models/quality.js').Point} */ const first = curve.series[0].points[0];
      const written = (/** @type {number} */ value) => (times === 1 ? figure(value) : `${(times * value).toFixed(1)} %`);
      assert.equal(await chart.getAttribute('aria-valuetext'), `${first.passes} pass: Fast ${written(first[key])}, real pictures ${written(curve.floor[key])}`);
    }
    await settings(page, { Measure: 'FID' });
    await box.getByText('Table: FID by passes of the network').click();
    assert.equal(await box.locator('table tr').count(), 1 + new Set(curve.series.flatMap(({ points }) => points.map(({ passes }) => passes))).size);
    assert.ok(!(await box.locator('table').innerText()).includes('NaN'));
    await box.getByText(title === 'MNIST digits' ? /As the page begins: Best 3\.585 in 40 passes, Fast 3\.408 in 2 passes\. 1,000 samples a point/ : /Best 7\.341 in 50 passes, Fast 9\.645 in 4 passes\. 200 samples/).waitFor();
  }
  await openFiles(page, files);
  assert.ok(!await page.locator('#quality').isVisible(), 'a model of one way has no such chart');
  assertFaultless(page);
});

test('without a GPU the page begins with Fast; a link and the address stand before that', async ({ open }) => {
  const none = { '**/*.safetensors': (/** @type {import('@playwright/test').Route} */ route) => route.abort() };
  const begins = async (/** @type {string} */ path, /** @type {string} */ way) => {
    const page = await open({ path, serve: none });
    await page.getByRole('group', { name: 'Ways to make MNIST digits' }).locator('[aria-pressed="true"]').filter({ hasText: way }).waitFor();
    await page.getByText(`Example: 16 pictures that MNIST digits${way === 'Fast' ? ', fast' : ''} drew from 16 noises, none picked out: seeds 0 to 15.`).first().waitFor();
    assert.equal(await control(page, 'Model').inputValue(), way === 'Fast' ? 'mnist-fast' : 'mnist');
    assertFaultless(page);
    return page;
  };
  assert.deepEqual(await values(await begins('?device=cpu&way=', 'Fast')), ['ddim', '2', '1']);
  await begins('?device=cpu&way=best', 'Best');
  await alert(await begins('?device=cpu&way=slow', 'Fast')).filter({ hasText: '“slow”; there are best and fast' }).waitFor();
  const linked = await open({ path: '?device=cpu&way=#model=mnist&seed=3', serve: none });
  await status(linked).filter({ hasText: /^Stopped/ }).waitFor(); // its picture was begun, and the weights do not come
  assert.equal(await control(linked, 'Model').inputValue(), 'mnist');
});
