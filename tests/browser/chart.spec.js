// The chart that every plot is, and the formatter that every number goes through.
import assert from 'node:assert/strict';
import { counted, figure, megabytes, percent, seconds, tick } from '../../www/ui/numbers.js';
import { columns, scale } from '../../www/ui/scale.js';
import { assertFaultless, test } from './support/harness.js';
import { control, diffuse, ready } from './support/page.js';

test.use({ gpu: false });

test('numbers as they are written', () => {
  assert.deepEqual([0, 0.25, -3.5, 12345, 1e-4, -1e-12, 1e5].map(figure), ['0', '0.2500', '−3.500', '1.235 × 10⁴', '1.00 × 10⁻⁴', '−1.00 × 10⁻¹²', '1.00 × 10⁵']);
  assert.deepEqual([NaN, Infinity, -Infinity].map(figure), ['–', '∞', '−∞']);
  assert.deepEqual([0, 0.5, 1000, 1e-4, 5e-7, -2].map(tick), ['0', '0.5', '1,000', '10⁻⁴', '5 × 10⁻⁷', '−2']);
  assert.deepEqual([3140, 90_000, 119_600, 61_000 * 60].map(seconds), ['3.1 s', '1 min 30 s', '2 min 0 s', '61 min 0 s']);
  assert.deepEqual([counted(1, 'step'), counted(1200, 'step'), percent(0.256), megabytes(973), megabytes(5.5e6)], ['1 step', '1,200 steps', '26 %', '1.0 kB', '5.5 MB']);
});

test('scales, their ticks, and what is drawn of many values', () => {
  const linear = scale({ label: '' }, [-4.4, 4]);
  assert.deepEqual([-4.4, -0.2, 4].map(linear.share).map((share) => share.toFixed(6)), ['0.000000', '0.500000', '1.000000']);
  assert.deepEqual(linear.ticks(4), [-2.5, 0, 2.5]);
  assert.deepEqual(scale({ label: '', from: 0 }, [200, 1000]).ticks(5), [0, 200, 400, 600, 800, 1000]);
  const log = scale({ label: '', log: true }, [1e-6, 1]);
  assert.equal(log.share(1e-3), 0.5);
  assert.deepEqual(log.ticks(10), [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1]);
  assert.deepEqual(log.ticks(3), [1e-6, 1e-4, 0.01, 1]);
  // Between two neighbouring values of 1, 2 and 5 the page's thread once looked for ticks for ever.
  assert.deepEqual(scale({ label: '', log: true }, [0.26, 0.28]).ticks(4), [0.26, 0.265, 0.27, 0.275, 0.28]);
  assert.ok(scale({ label: '', log: true }, [0.0123, 0.0124]).ticks(9).length >= 2);
  assert.deepEqual(scale({ label: '', log: true, ticks: [1, 2, 5, 10, 100] }, [1.5, 40]).ticks(3), [2, 5, 10]);
  const y = Float64Array.from({ length: 10_000 }, (_, i) => (i === 5_003 ? 7 : i === 5_004 ? NaN : 1));
  const drawn = columns(y, { label: '' }, 100);
  assert.ok(drawn.length <= 400 && drawn.some(([place, value]) => place === 5_003 && value === 7), `${drawn.length} points`);
  assert.ok(drawn.every(([, value]) => Number.isFinite(value)));
});

test('the schedule\'s charts are read by keyboard and pointer, and follow the timestep', async ({ open }) => {
  const page = await open({ context: { viewport: { width: 1200, height: 900 } } });
  await ready(page);
  const { beta, alphaBar } = await page.evaluate(async () => {
    const { beta, alphaBar } = await window.pollen.schedule();
    return { beta: [...beta], alphaBar: [...alphaBar] };
  });
  const chart = (/** @type {string} */ name) => page.getByRole('slider', { name: `${name} by timestep` });
  const said = async (/** @type {string} */ name) => chart(name).getAttribute('aria-valuetext');
  await chart('β').press('End');
  assert.equal(await said('β'), `t = 1000: ${figure(beta[1000])}`);
  for (const [key, t] of /** @type {[string, number][]} */ ([['ArrowLeft', 999], ['PageDown', 899], ['ArrowUp', 900], ['Home', 0], ['ArrowLeft', 0], ['PageUp', 100]])) {
    await chart('ᾱ').press(key);
    assert.equal(await said('ᾱ'), `t = ${t}: ${figure(alphaBar[t])}`, key);
  }
  // One cursor for all three, and the numbers beside them.
  assert.equal(await said('β'), `t = 100: ${figure(beta[100])}`);
  assert.equal(await page.locator('#curves [data-v=alpha]').innerText(), figure(alphaBar[100]));
  assert.match(await page.locator('#curves').innerText(), /ᾱ: from 1\.000 at t = 0 to 4\.04 × 10⁻⁵ at t = 1000/);

  await chart('log₁₀ SNR').scrollIntoViewIfNeeded();
  const box = await chart('log₁₀ SNR').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const reading = await page.locator('[data-sym=snr] .reading').textContent();
  const under = Number(/^t = (\d+): /.exec(reading ?? '')?.[1]);
  assert.ok(under > 400 && under < 600, `in the middle: ${reading}`);
  assert.equal(reading, `t = ${under}: ${figure(Math.log10(alphaBar[under] / (1 - alphaBar[under])))}`);
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  assert.equal(await said('β'), `t = ${under}: ${figure(beta[under])}`);

  // Once there is a run, the charts move it.
  await control(page, 'Length T').fill('40');
  await diffuse(page);
  await chart('β').press('Home');
  await chart('β').press('ArrowRight');
  assert.equal(await control(page, 'Timestep t').inputValue(), '1');
  await page.getByText('Table: β by timestep').press('Enter');
  assert.equal(await page.getByRole('table', { name: 'β' }).getByRole('row').count(), 1 + 41);
  assertFaultless(page);
});

test('a chart fills the width that it has, in the colours of the scheme', async ({ open }) => {
  const drawn = [];
  for (const [width, colorScheme] of /** @type {[number, 'light' | 'dark'][]} */ ([[1200, 'light'], [390, 'dark']])) {
    const page = await open({ context: { viewport: { width, height: 900 }, colorScheme } });
    await ready(page);
    const path = page.locator('[data-sym=alpha] path');
    await path.waitFor();
    const line = async () => ({ width: (await path.boundingBox())?.width ?? 0, stroke: await path.evaluate((line) => getComputedStyle(line).stroke) });
    const before = await line();
    await page.setViewportSize({ width: Math.round(0.8 * width), height: 900 });
    await page.waitForFunction((width) => (document.querySelector('[data-sym=alpha] path')?.getBoundingClientRect().width ?? Infinity) < width, 0.9 * before.width);
    drawn.push(before);
  }
  const [wide, narrow] = drawn;
  assert.ok(wide.width > 400 && narrow.width < 380 && narrow.width > 250, JSON.stringify(drawn));
  assert.notEqual(wide.stroke, narrow.stroke);
});
