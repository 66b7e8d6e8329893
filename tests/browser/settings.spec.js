// Every setting of the page is in its address, which brings it back: fields, sliders, what is dragged or drawn.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { alert, button, canvas, control, done, generate, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */

/** What is no setting, or is none that an address can carry, and why. */
const LEFT_OUT = {
  '[type=file]': 'a file is the visitor’s own, and no page may take one from a machine by itself',
  '#r-address': 'what is typed there is fetched only when Open is pressed; where the open model came from is models.address',
  '#t-sample': 'a frame of a training, which takes minutes or hours and mostly has pictures of the visitor’s own',
  '#b-future': 'a frame of one of the futures that were branched in this visit, which no other page has',
  '#t-compare': 'another training of this visit, which no other page has',
  '.chart [role=slider]:not(.handle)': 'a cursor that reads a chart, as the pointer over it does',
};

const fragment = (/** @type {Page} */ of) => new URLSearchParams([...new URLSearchParams(new URL(of.url()).hash.replace(/^#(\w[\w-]*&)?/, ''))].sort(([a], [b]) => (a < b ? -1 : 1)));
const inAddress = (/** @type {Page} */ of, /** @type {string} */ text) => of.waitForFunction((text) => decodeURIComponent(location.hash).includes(text), text);
const frame = (/** @type {Page} */ of) => control(of, 'Frame');
const handle = (/** @type {Page} */ of, /** @type {string} */ name) => of.getByRole('slider', { name, exact: true });
const HANDLES = ['Mean of P', 'Deviation of P', 'Mean of Q', 'Deviation of Q', 'Mean of the Gaussian', 'Deviation of the Gaussian'];
const places = (/** @type {Page} */ of) => Promise.all(HANDLES.map((name) => handle(of, name).getAttribute('aria-valuenow')));

test('every field, slider and handle of the page is in its address, or left out for a reason; nothing is that is as it was', async ({ open }) => {
  const first = await open();
  await ready(first);
  await first.waitForFunction(() => document.querySelectorAll('#race-lanes select').length === 8);
  await first.waitForFunction(() => !(/** @type {HTMLInputElement} */ (document.getElementById('forward-t')).disabled));
  assert.equal(new URL(first.url()).hash, '');
  // Each field takes its last option, or another number; those that have nothing to show yet are the next test's.
  const { changed, late, handles, unknown } = await first.evaluate((leftOut) => {
    const all = /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll('input, select, textarea, [role=slider]')]).filter((one) => !one.matches(leftOut));
    const handles = all.filter((one) => one.matches('.handle')), late = all.filter(({ dataset }) => dataset.late !== undefined), own = all.filter((one) => one.form?.id === 'reverse-form' && one.name);
    const rest = all.filter((one) => ![...handles, ...late, ...own].includes(one)), unknown = rest.filter(({ name, form, dataset }) => !dataset.setting && !(name && form));
    const empty = ['kl.pair', 'decoder.gaussian', 'plane.points', 'between.strokes']; // of what is dragged and drawn below
    const fields = rest.filter((one) => !unknown.includes(one) && !empty.includes(one.dataset.setting ?? '') && one.id !== 'forward-t');
    for (const field of fields) {
      if (field.type === 'checkbox') field.checked = !field.checked;
      else if (field.name === 'mask') field.value = '28.700.84';
      else if (field instanceof HTMLSelectElement) field.selectedIndex = field.options.length - 1;
      else if (field.type === 'color') field.value = '#12ab9f';
      else if (field.type === 'text') field.value = '1, 3';
      else field.value = String(Number(field.value) > Number(field.min) ? Number(field.value) - (field.step === 'any' ? Number(field.value) / 4 : 1) : Number(field.value) + 1);
      field.dispatchEvent(new Event('change', { bubbles: true }));
    }
    const names = (/** @type {HTMLElement[]} */ of) => of.map((one) => one.dataset.setting ?? one.getAttribute('aria-label') ?? one.id);
    return { changed: fields.length, late: names(late).sort(), handles: names(handles), unknown: unknown.map(({ outerHTML }) => outerHTML) };
  }, Object.keys(LEFT_OUT).join());
  assert.deepEqual(unknown, []);
  assert.deepEqual(handles, HANDLES);
  assert.deepEqual(late, ['film.frame', 'forward.jump', 'ideal.step', 'kl.t', 'models.address', 'race.share', 'unet.channel', 'unet.frame', 'unet.input', 'unet.layer', 'unet.x', 'unet.y']);
  assert.ok(changed > 60, String(changed));
  assert.ok([...fragment(first).keys()].length >= changed - 3, `${changed} changed: ${[...fragment(first).keys()]}`);
  for (const name of HANDLES) await handle(first, name).press(name.startsWith('Mean') ? 'PageUp' : 'ArrowUp');
  await button(first, 'Swap P and Q').click();
  await first.locator('#plane-canvas').scrollIntoViewIfNeeded(); // what is there is fetched then
  await canvas(first, /^A plane with 48 points/).click({ position: { x: 200, y: 180 } });
  await first.getByRole('application', { name: /^Draw here/ }).focus();
  for (const key of [' ', ...Array(6).fill('ArrowDown'), 'ArrowRight', ' ']) await first.keyboard.press(key);
  await settings(first, { Class: '4', Sampler: 'Heun', Steps: 3, Seed: 11, Count: 2 });
  const values = (/** @type {Page} */ of) => of.evaluate(() => Object.fromEntries(/** @type {HTMLInputElement[]} */ ([...document.querySelectorAll('input, select')])
    .filter(({ type, dataset, id }) => type !== 'file' && dataset.late === undefined && !['r-address', 't-sample', 't-compare', 'b-future'].includes(id))
    .map((field) => [`${field.form?.id}.${field.name || field.dataset.setting}${field.type === 'radio' ? field.value : ''}`, ['checkbox', 'radio'].includes(field.type) ? field.checked : field.value])));
  await first.waitForFunction(() => !(/** @type {HTMLInputElement} */ (document.getElementById('forward-t')).disabled));
  await control(first, /** @type {any} */ (/^Timestep t/)).fill('17');
  await inAddress(first, 'forward.t=17');
  const second = await open({ path: new URL(first.url()).hash });
  await ready(second); // which it says, over what it has made by then
  await second.waitForFunction(() => !(/** @type {HTMLInputElement} */ (document.getElementById('reverse-frame')).disabled));
  await second.waitForFunction(() => /** @type {HTMLInputElement} */ (document.getElementById('forward-t')).value === '17');
  assert.deepEqual(await values(second), await values(first));
  assert.deepEqual(fragment(second).toString(), fragment(first).toString());
  assert.deepEqual(await places(second), await places(first));
  const drawn = async (/** @type {Page} */ of, /** @type {string} */ id) => (await pixels(of.locator(`#${id}`))).data;
  await control(second, 'Start from').selectOption('drawing'); // it is shown then
  await control(first, 'Start from').selectOption('drawing');
  assert.deepEqual(await drawn(second, 'b-drawing'), await drawn(first, 'b-drawing'));
  await second.locator('#plane-canvas').scrollIntoViewIfNeeded();
  await canvas(second, /^A plane with 49 points/).waitFor();
  assert.equal(await canvas(second, /^A plane with/).getAttribute('aria-label'), await canvas(first, /^A plane with/).getAttribute('aria-label'));
  const third = await open({ path: '#forward.size=9999&race.solver1=heun&nothing.here=1&kl.pair=1,2' });
  await alert(third).filter({ hasText: /forward\.size “9999”, nothing\.here “1”|kl\.pair “1,2”/ }).waitFor();
  assert.equal(await control(third, 'Sampler 1').inputValue(), 'heun');
  assert.match((await status(third).innerText()), /^Ready/);
  for (const one of [first, second, third]) assertFaultless(one);
});

test('what shows a run is taken up once that has been made: frames, the race, the layer of the network, the term of the bound', async ({ open }) => {
  const first = await open();
  await ready(first);
  await settings(first, { Class: '3', Sampler: 'DDIM', Steps: 4, Seed: 7, Count: 1, 'Size, pixels': 28, 'Length T': 40 });
  const runs = async (/** @type {Page} */ of) => {
    for (const name of ['Race', 'Sample the ideal denoiser', 'Look inside', 'Measure the bound']) await done(of, () => button(of, name).click());
  };
  for (const place of [1, 2, 3, 4]) await control(first, `Steps of sampler ${place}`).fill('3');
  await control(first, 'Timesteps visited').fill('8');
  await done(first, () => button(first, 'Diffuse').click());
  await generate(first);
  await runs(first);
  assert.ok(![...fragment(first).keys()].some((name) => /^(film|race\.share|ideal\.step|unet|kl\.t)/.test(name)), new URL(first.url()).hash);
  await frame(first).fill('2');
  await control(first, 'Progress of each chain').fill('34');
  await first.locator('#best-step').fill('3');
  await first.locator('#u-frame').fill('1');
  await first.getByText(/^What the network makes of xₜ at t = [4-7]../).waitFor();
  await first.locator('#u-network').getByRole('button', { name: 'up_blocks.2.resnets.0' }).click();
  await first.locator('#u-operations').getByRole('button', { name: /^conv2/ }).click();
  await first.getByRole('heading', { name: 'conv2, 3×3' }).waitFor();
  for (const [name, value] of /** @type {const} */ ([['Channel of the layer', '6'], ['Column of the layer’s pixel', '9'], ['Row of the layer’s pixel', '20']])) await control(first, name).fill(value);
  await first.getByRole('img', { name: 'Channel 6; the pixel in column 9, row 20 is picked' }).waitFor();
  await control(first, 'Input channel').fill('2');
  await control(first, 'Input channel').press('Tab');
  await control(first, 'Term of the bound').selectOption({ index: 5 });
  await control(first, /** @type {any} */ (/^Timestep t/)).fill('25');
  await inAddress(first, 'forward.t=25');
  await control(first, 'Input channel').blur();

  const hash = new URL(first.url()).hash, second = await open({ path: hash });
  await status(second).filter({ hasText: /^Done: 40 steps from the daisy/ }).waitFor(); // the chain is walked, since its steps were looked at
  assert.equal(await frame(second).inputValue(), '2');
  assert.deepEqual((await pixels(canvas(second, 'The samples x t'))).data, (await pixels(canvas(first, 'The samples x t'))).data);
  const kept = fragment(second); // what has to be pressed for stays in the address until then
  assert.deepEqual(['race.share', 'ideal.step', 'unet.x', 'kl.t'].map((name) => kept.get(name)), ['race.share', 'ideal.step', 'unet.x', 'kl.t'].map((name) => fragment(first).get(name)));
  await runs(second);
  await second.getByRole('img', { name: 'Channel 6; the pixel in column 9, row 20 is picked' }).waitFor();
  await second.getByText(/^Input channel 2 adds/).waitFor();
  for (const id of ['race-share', 'best-step', 'u-frame', 'u-c', 'u-x', 'u-y', 'u-i', 'kl-t', 'jump', 'forward-t']) {
    const value = (/** @type {Page} */ of) => of.locator(`#${id}`).evaluate((/** @type {HTMLInputElement} */ { type, checked, value }) => (type === 'checkbox' ? checked : value));
    assert.equal(await value(second), await value(first), id);
  }
  for (const id of ['forward-canvas', 'best-xt', 'u-channel']) assert.deepEqual((await pixels(second.locator(`#${id}`))).data, (await pixels(first.locator(`#${id}`))).data, id);
  assert.deepEqual(fragment(second).toString(), fragment(first).toString());
  // Another run ends at its last frame, which is no setting.
  await generate(second);
  assert.equal(fragment(second).get('film.frame'), null);
  for (const one of [first, second]) assertFaultless(one);
});

test('a contents link keeps the settings, through a reload as well; a link to a section still leads there', async ({ open }) => {
  const page = await open();
  await ready(page);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 3, Seed: 5, Count: 1, 'Size, pixels': 30 });
  await control(page, 'Size, pixels').blur();
  const links = page.getByRole('navigation', { name: 'Contents' }), before = new URL(page.url()).hash.slice(1);
  assert.match(before, /seed=5.*forward\.size=30/);
  await links.getByRole('link', { name: 'Race' }).click();
  await page.waitForFunction(() => location.hash.startsWith('#race&'));
  assert.equal(new URL(page.url()).hash, `#race&${before}`);
  await page.reload();
  await ready(page);
  assert.deepEqual([await control(page, 'Seed').inputValue(), await control(page, 'Steps').inputValue(), await control(page, 'Size, pixels').inputValue()], ['5', '3', '30']);
  await page.waitForFunction(() => { const { top } = /** @type {HTMLElement} */ (document.getElementById('race')).getBoundingClientRect(); return top > -80 && top < innerHeight / 2; });
  await page.goBack(); // to before the jump: the same settings, no run
  await page.waitForFunction(() => !location.hash.startsWith('#race'));
  assert.equal(fragment(page).get('seed'), '5');
  await links.getByRole('link', { name: 'Plane' }).click();
  await page.waitForFunction(() => location.hash.startsWith('#plane&'));
  await settings(page, { Seed: 6 });
  await control(page, 'Seed').blur();
  await inAddress(page, 'seed=6');
  assert.match(new URL(page.url()).hash, /^#plane&.*seed=6/);
  const plain = await open({ path: '#kl' });
  await ready(plain);
  assert.equal(new URL(plain.url()).hash, '#kl');
  await plain.waitForFunction(() => Math.abs(/** @type {HTMLElement} */ (document.getElementById('kl')).getBoundingClientRect().top) < innerHeight / 2);
  for (const one of [page, plain]) assertFaultless(one);
});
