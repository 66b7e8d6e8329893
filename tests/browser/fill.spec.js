// A part of a picture filled in: by the API, and in the page by pointer and by keys; what is known stays.
import assert from 'node:assert/strict';
import { violations } from './support/axe.js';
import { drop, saved, settingsIn } from './support/files.js';
import { assertFaultless, share, test } from './support/harness.js';
import { alert, button, canvas, control, done, objection, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
const grey = async (/** @type {import('@playwright/test').Locator} */ locator) => (await pixels(locator)).data.filter((_, i) => i % 4 === 0);
const brush = () => page.getByRole('application', { name: /^Paint what is to be filled in/ });
const rows = () => page.getByRole('list', { name: 'Fillings, the last first' }).getByRole('listitem');
/** The pixels of the picture, 28 × 28, that are covered: they are pink. */
async function covered() {
  const { data, width } = await pixels(brush()), scale = width / 28;
  return Array.from({ length: 784 }, (_, i) => {
    const at = 4 * ((Math.floor(i / 28) + 0.5) * scale * width + ((i % 28) + 0.5) * scale);
    return data[at] > data[at + 1] + 40;
  });
}
const count = (/** @type {boolean[]} */ all) => all.filter(Boolean).length;

test('by the API: the known part stays, to the bit, whatever the seed; the steps back are told; a mask of nothing is no mask', async () => {
  const found = await page.evaluate(async () => {
    const { pollen } = window, most = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) => Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
    await pollen.loadModel('models/mnist/');
    const image = Float32Array.from({ length: 784 }, (_, i) => Math.sin(i / 9)), mask = Uint8Array.from(image, (_, i) => Number(i < 392));
    const options = { sampler: 'ddpm', steps: 6, class: 3, guidance: 2, image, mask, jump: 2, resample: 3 };
    /** @type {import('../../www/api/types.js').ReverseStep[]} */ const steps = [];
    const first = await pollen.generate({ ...options, seed: 1, count: 2, onStep: (step) => { steps.push(step); } });
    const again = await pollen.generate({ ...options, seed: 1, count: 2 }), other = await pollen.generate({ ...options, seed: 2 });
    const upper = (/** @type {Float32Array} */ of) => of.slice(0, 392), lower = (/** @type {Float32Array} */ of) => of.slice(392, 784);
    // Nothing is known, and it goes back nowhere: the chain itself.
    const none = await pollen.generate({ ...options, mask: new Float32Array(784), resample: 1 }), plain = await pollen.generate({ sampler: 'ddpm', steps: 6, class: 3, guidance: 2 });
    const wrong = [{ mask: new Uint8Array(5) }, { image: undefined }, { sampler: 'unipc' }, { jump: 0 }, { mask: undefined }, { resample: 1e9 }, { mask: mask.map((m) => 255 * m) }];
    const refused = await Promise.all(wrong.map((change) => pollen.generate({ ...options, ...change }).then(() => '', ({ name, message }) => `${name}: ${message}`)));
    return {
      known: [most(upper(first.sample), upper(image)), most(first.sample.slice(784, 784 + 392), upper(image)), most(upper(other.sample), upper(image))],
      again: most(first.sample, again.sample), differ: most(lower(first.sample), lower(other.sample)), within: most(lower(first.sample), first.sample.slice(784 + 392)),
      plain: most(none.sample, plain.sample), back: steps.map(({ back }) => (back ? '↑' : '↓')).join(''),
      meets: steps.every(({ t }, i) => !i || t === steps[i - 1].tNext), up: steps.every(({ back, t, tNext, terms }) => back === tNext > t && back === terms.alphaBarNext < terms.alphaBar),
      shown: most(first.rgba.slice(0, 4), steps[steps.length - 1].xt.slice(0, 4)), all: steps.length, said: steps[0].steps, refused,
    };
  });
  assert.deepEqual(found.known, [0, 0, 0]);
  assert.ok(found.again === 0 && found.differ > 0.1 && found.within > 0.1 && found.plain === 0 && found.shown === 0, JSON.stringify(found));
  assert.equal(found.back, '↓↓↓↓↑↑↓↓↑↑↓↓↓↓↑↑↓↓↑↑↓↓');
  assert.ok(found.meets && found.up && found.all === 6 + 2 * 2 * 2 * 2 && found.said === found.all, JSON.stringify(found));
  for (const [i, sentence] of [/a mask is as high and wide as the pictures/, /comes with the image/, /only ddpm or ddim fills in/, /^InputError: jump and resample are whole/, /^InputError: jump and resample are of a picture that is filled in/, /at most 50000 steps/, /of numbers from 0 to 1/].entries()) {
    assert.match(found.refused[i], sentence);
  }
});

test('painted by pointer and by keys; the brush, the lower half, nothing', async () => {
  await brush().scrollIntoViewIfNeeded();
  assert.equal(count(await covered()), 392);
  await button(page, 'Uncover all').click();
  assert.equal(count(await covered()), 0);
  assert.match(await objection(page, () => button(page, 'Fill it in').click()), /^Nothing is painted/);
  const box = /** @type {{ x: number, y: number, width: number }} */ ((await brush().scrollIntoViewIfNeeded(), await brush().boundingBox()));
  await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.25 * box.width);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.7 * box.width, box.y + 0.25 * box.width, { steps: 3 });
  await page.mouse.up();
  const line = await covered();
  assert.ok(line[7 * 28 + 14] && !line[7 * 28 + 2] && !line[20 * 28 + 14] && count(line) > 40, String(count(line)));
  await control(page, 'Brush').fill('1');
  await brush().focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', ' ', ...Array(9).fill('ArrowDown'), ' ', 'ArrowDown', 'ArrowDown']) await brush().press(key);
  const more = count(await covered()) - count(line);
  assert.ok(more >= 8 && more <= 20, `${more} pixels more by keys`);
  await page.getByRole('checkbox', { name: 'The brush uncovers' }).check();
  const now = /** @type {typeof box} */ ((await brush().scrollIntoViewIfNeeded(), await brush().boundingBox()));
  await page.mouse.move(now.x + 0.5 * now.width, now.y + 0.2 * now.width);
  await page.mouse.down();
  await page.mouse.move(now.x + 0.5 * now.width, now.y + 0.3 * now.width, { steps: 3 });
  await page.mouse.up();
  const open = await covered();
  assert.ok(!open[7 * 28 + 14] && open[7 * 28 + 10] && count(open) < count(line) + more, 'a line across is uncovered');
  await page.getByRole('checkbox', { name: 'The brush uncovers' }).uncheck();
  await button(page, 'Uncover all').click();
  for (const key of [' ', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', ' ']) await brush().press(key);
  assert.ok(count(await covered()) > 0);
});

test('filled in straight down and with going back; another seed is another filling of the same hole', async () => {
  await settings(page, { Class: 'Any' });
  await control(page, 'Brush').fill('5');
  await button(page, 'Cover the lower half').click();
  await settings(page, { 'Steps down': 8, 'Go back by': 3, 'Seed of the filling': 4 });
  await page.getByLabel(/^Each x.*times$/).fill('2');
  await page.getByText('8 passes of the network straight down and 14 with going back: 22 in all.').waitFor();
  const hole = await covered(), given = await grey(brush()), { width } = await pixels(brush()), scale = width / 28;
  await brush().focus();
  await page.keyboard.press('Tab'); // the keyboard alone from here: the button's is a submit like any other
  await button(page, 'Fill it in').focus();
  assert.match(await done(page, () => page.keyboard.press('Enter')), /^Done: the example filled in twice from seed 4, straight down and with going back, in 22 passes of MNIST digits/);
  await canvas(page, 'Finished, with going back').waitFor();
  assert.match(await button(page, 'Fill it in').evaluate((element) => String(element === document.activeElement)), /true/);
  const filled = async (/** @type {number} */ row, /** @type {string} */ way) => grey(rows().nth(row).getByRole('img', { name: new RegExp(`^Filled in ${way}`) }));
  assert.match(await press('Another filling'), /from seed 5/);
  assert.equal(await control(page, 'Seed of the filling').inputValue(), '5');
  assert.equal(await rows().count(), 2);
  const [a, b, straight] = [await filled(1, 'with going back'), await filled(0, 'with going back'), await filled(1, 'straight down')];
  for (const picture of [a, b, straight]) {
    for (let i = 0; i < 784; i++) if (!hole[i]) assert.equal(picture[i], given[(Math.floor(i / 28) * scale + 3) * width + (i % 28) * scale + 3], `pixel ${i}`);
  }
  const differ = (/** @type {number[]} */ p, /** @type {number[]} */ q) => p.filter((value, i) => value !== q[i]).length;
  assert.ok(differ(a, b) > 20 && differ(a, straight) > 20);
  assert.match(await page.evaluate(() => location.hash), /fill\.steps=8&fill\.jump=3&fill\.times=2&fill\.fresh=5/);
  assert.deepEqual(await violations(page, '#between'), []);
  assertFaultless(page);
});

test('a filling as PNG brings its run back on another page, the same to the byte; a link does, where it can carry the picture and the mask', async ({ open }) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await button(page, 'Clear the drawing').evaluate((/** @type {HTMLButtonElement} */ clear) => { if (!clear.disabled) clear.click(); });
  await settings(page, { Model: 'MNIST digits', Class: '7', Guidance: 1.5, 'Steps down': 4, 'Go back by': 2, 'Seed of the filling': 11 });
  await page.getByLabel(/^Each x.*times$/).fill('2');
  await button(page, 'Uncover all').click();
  await brush().focus();
  for (const key of [' ', 'ArrowLeft', 'ArrowUp', ' ']) await brush().press(key);
  assert.match(await page.evaluate(() => location.hash), /fill\.mask=28\.\d+\./);
  await press('Fill it in');
  const link = async (/** @type {string} */ name) => { await button(page, name).click(); await status(page).filter({ hasText: /^The link is on the clipboard/ }).waitFor(); return page.evaluate(() => navigator.clipboard.readText()); };
  const first = await link('Copy link: the filling of seed 11');
  assert.match(await status(page).innerText(), /presses “Fill it in” gets the same picture/);
  const linked = await saved(page, 'Save as PNG: the filling of seed 11'), other = await open({ path: new URL(first).hash });
  assert.equal(linked.name, 'pollen-filling-mnist-class7-seed11.png');
  await ready(other); // its settings are in the fields
  await status(other).filter({ hasText: 'The settings are those of the link. Press “Fill it in” for its picture.' }).waitFor();
  await done(other, () => button(other, 'Fill it in').click());
  assert.deepEqual((await saved(other, 'Save as PNG: the filling of seed 11')).bytes, linked.bytes);

  // A drawing and a mask of many runs are the visitor's own.
  await page.getByRole('application', { name: /^Draw here/ }).focus();
  for (const key of [' ', ...Array(6).fill('ArrowDown'), ' ']) await page.keyboard.press(key);
  const many = `28.${Array(392).fill('1.1').join('.')}`;
  const carried = (/** @type {string} */ mask) => page.locator('#fill-form [name=mask]').evaluate((/** @type {HTMLInputElement} */ field, mask) => { field.value = mask; field.dispatchEvent(new Event('change', { bubbles: true })); }, mask);
  await carried(many.slice(0, 40));
  await alert(page).filter({ hasText: 'is no mask: a mask is the size of a square picture' }).waitFor();
  await carried(many);
  assert.equal(count(await covered()), 392);
  await press('Another filling');
  await link('Copy link: the filling of seed 12');
  assert.match(await status(page).innerText(), /does not carry the mask, which is too long for one, only the settings\./);
  const own = await saved(page, 'Save as PNG: the filling of seed 12'), { picture, sha256, pollen, ...rest } = settingsIn(own.bytes);
  assert.deepEqual(rest, { chain: 'filling', model: 'mnist', class: 7, guidance: 1.5, 'fill.steps': 4, 'fill.jump': 2, 'fill.times': 2, 'fill.fresh': 12, 'fill.mask': many, title: 'MNIST digits', name: 'your drawing' });
  assert.ok(picture.length < 1000 && sha256.length === 64 && pollen);
  const third = await open();
  await ready(third);
  await drop(third, own);
  await status(third).filter({ hasText: `Done: ${own.name} is here again, the same to the byte.` }).waitFor();
  assert.deepEqual((await saved(third, 'Save as PNG: the filling of seed 12')).bytes, own.bytes);
  for (const one of [page, other, third]) assertFaultless(one);
});

test('a cancelled filling keeps what was made', async () => {
  await settings(page, { 'Steps down': 6, 'Go back by': 2 });
  await page.getByLabel(/^Each x.*times$/).fill('20');
  const before = await rows().count();
  await button(page, 'Fill it in').click();
  await page.waitForFunction((rows) => document.querySelectorAll('#f-made li').length > rows, before);
  await button(page, 'Cancel').click();
  await status(page).filter({ hasText: 'Cancelled' }).waitFor();
  assert.equal(await rows().count(), before + 1);
  assert.equal(await rows().first().getByRole('img').count(), 2);
  await rows().first().getByText('from the left: the picture with its hole, filled in straight down.').waitFor();
  assertFaultless(page);
});

test('a Fast model leaves it to Best, and says so', async () => {
  await page.getByLabel('Model', { exact: true }).selectOption({ value: 'mnist-fast' });
  await page.getByText(/Fast knows too few noise levels for this: Best fills in\./).waitFor();
  await settings(page, { 'Steps down': 3, 'Go back by': 1 });
  await page.getByLabel(/^Each x.*times$/).fill('1');
  assert.match(await press('Fill it in'), /passes of MNIST digits in/);
  assert.equal(await page.evaluate(() => window.pollen.model?.id?.endsWith('fast') ?? false), false);
  assertFaultless(page);
});
