// How long a run will take is said before it begins, by what was measured in this visit, and nothing where nothing was.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { button, control, done, generate, ready, settings, status } from './support/page.js';

test.use({ gpu: false });

test('nothing is said before anything was measured; then what more of it takes, in proportion', async ({ open }) => {
  const page = await open();
  await ready(page);
  const of = (/** @type {string} */ form) => page.locator(`#${form} .forecast`), ms = async (/** @type {string} */ form) => {
    const [, a, , b] = /^About ([\d.]+) (s|min) ?(?:(\d+) s)? ?on the processor, going by what was measured in this visit\.$/.exec(await of(form).innerText()) ?? [];
    return b ? 60 * Number(a) + Number(b) : Number(a);
  };
  await settings(page, { 'Steps of sampler 1': 900 });
  assert.equal(await page.locator('.forecast').count(), 0);
  await settings(page, { Class: 'Any', Sampler: 'DDIM', Steps: 8, Count: 1 });
  await generate(page);
  const pace = /** @type {number} */ (await page.evaluate(async () => {
    const { expected } = await import(new URL('ui/pace.js', location.href).href);
    return expected('pass mnist', 1);
  }));
  assert.ok(pace > 0);
  await of('race-form').waitFor();
  const passes = 900 + 10 + 10 + 9, race = await ms('race-form');
  assert.ok(Math.abs(race - passes * pace / 1000) <= 0.06 * race + 1, `${race} s for ${passes} passes of ${pace} ms`);
  await settings(page, { 'Steps of sampler 1': 450 });
  assert.ok(Math.abs(await ms('race-form') - (passes - 450) * pace / 1000) <= 0.06 * race + 1);
  // Of other work there is nothing yet.
  for (const form of ['bound-form', 'plane-form', 'ideal-denoiser-form', 'forward-form', 'unet-form']) assert.equal(await of(form).isVisible(), false, form);
  await control(page, 'Timesteps visited').fill('4');
  await done(page, () => button(page, 'Measure the bound').click());
  await control(page, 'Timesteps visited').fill('1000');
  await of('bound-form').waitFor();
  assert.ok(await ms('bound-form') > 1);
  await done(page, () => button(page, 'Draw the paths').click());
  await control(page, 'Steps in the plane').fill('1');
  assert.equal(await of('plane-form').isVisible(), (await page.evaluate(async () => {
    const [{ expected }, { work }] = await Promise.all(['ui/pace.js', 'sections/plane.js'].map((path) => import(new URL(path, location.href).href)));
    return expected('plane', work());
  })) > 1000);
  await control(page, 'Count').fill('');
  await control(page, 'Steps of sampler 2').fill('20');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Steps of sampler 2'); // a field in disorder does not take the focus
  assertFaultless(page);
});

test('lanes of a race that Fast leaves to Best are reckoned with its guidance', async ({ open }) => {
  const page = await open({ path: '#model=mnist-fast&class=3&sampler=ddim&steps=2&count=1' });
  await ready(page);
  await status(page).filter({ hasText: /^Done: / }).waitFor();
  await settings(page, { 'Steps of sampler 1': 900 });
  const said = /^About ([\d.]+) (s|min) ?(?:(\d+) s)?/.exec(await page.locator('#race-form .forecast').innerText()) ?? [], seconds = said[2] === 'min' ? 60 * Number(said[1]) + Number(said[3]) : Number(said[1]);
  const pace = /** @type {number} */ (await page.evaluate(async () => (await import(new URL('ui/pace.js', location.href).href)).expected('pass mnist-fast', 1)));
  const wanted = 2 * (900 + 10 + 10 + 9) * pace / 1000;
  assert.ok(Math.abs(seconds - wanted) <= 0.06 * wanted + 1, `${seconds} s, ${wanted} s wanted`);
  assertFaultless(page);
});
