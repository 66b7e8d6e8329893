// Between the chains: from a drawing or a picture, other futures of a run; what was made in this visit.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { alert, button, canvas, control, done, generate, objection, pixels, ready, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const press = (/** @type {string} */ name) => done(page, () => button(page, name).click());
const grey = async (/** @type {import('@playwright/test').Locator} */ locator) => (await pixels(locator)).data.filter((_, i) => i % 4 === 0);
const apart = (/** @type {number[]} */ a, /** @type {number[]} */ b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);

test('a chain that is stopped and led on is the whole one; one from an image is the one from its x t', async () => {
  const found = await page.evaluate(async () => {
    const { pollen } = window, most = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
    await pollen.loadModel('models/mnist/');
    const options = { sampler: 'ddim', steps: 6, class: 3, guidance: 2, seed: 4, count: 2 };
    const whole = await pollen.generate(options), half = await pollen.generate({ ...options, until: 2 });
    const rest = await pollen.generate({ ...options, skip: 2, noise: half.sample });
    const image = Float32Array.from({ length: 784 }, (_, i) => Math.sin(i / 9)), both = new Float32Array([...image, ...image]);
    /** @type {number[]} */ const levels = [];
    const from = await pollen.generate({ ...options, image, skip: 3, onStep: ({ terms }) => { levels.push(terms.alphaBar); } });
    const start = await pollen.jump({ image: both, shape: [2, 1, 28, 28], seed: 4, alphaBar: levels[0] });
    const same = await pollen.generate({ ...options, skip: 3, noise: start.sample });
    const refused = await Promise.all([{ skip: 6 }, { until: 0 }, { until: 7 }, { image: new Float32Array(5) }].map((wrong) => pollen.generate({ ...options, ...wrong }).then(() => '', ({ message }) => message)));
    return { parts: [half.steps, rest.steps, levels.length], stopped: most(half.sample, whole.sample), resumed: most(rest.sample, whole.sample), noised: most(from.sample, same.sample), refused };
  });
  assert.deepEqual(found.parts, [2, 4, 3]);
  assert.ok(found.stopped > 0.1 && found.resumed === 0 && found.noised < 1e-4, JSON.stringify(found));
  for (const [i, sentence] of [/leaving out 6 leaves none/, /until is 0; the chain has 6 steps/, /until is 7/, /the image has 5 numbers/].entries()) assert.match(found.refused[i], sentence);
});

test('before any run there is nothing to branch', async () => {
  assert.match(await objection(page, () => button(page, 'Branch from the film’s frame').click()), /There is no run to branch yet/);
});

test('guidance leads away from another class than any, if asked; a link brings that too', async () => {
  const found = await page.evaluate(async () => {
    const { pollen } = window, most = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
    const options = { sampler: 'ddim', steps: 3, class: 3, guidance: 3, seed: 4 }, sample = async (/** @type {object} */ more) => (await pollen.generate({ ...options, ...more })).sample;
    const [usual, any, own, plain, other] = await Promise.all([{}, { negative: pollen.model?.any }, { negative: 3 }, { guidance: 1 }, { negative: 8 }].map(sample));
    return { any: most(usual, any), own: most(own, plain), other: most(usual, other), refused: await sample({ negative: 99 }).then(() => '', ({ message }) => message) };
  });
  assert.ok(found.any === 0 && found.own < 1e-4 && found.other > 0.1, JSON.stringify(found));
  assert.match(found.refused, /99 is no class label; the model has 0 to 10/);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 3, Seed: 4, Count: 1 });
  await control(page, 'Guidance').fill('3');
  const shown = async () => { await generate(page); return (await pixels(canvas(page, 'The samples x t'))).data; };
  const usual = await shown();
  await settings(page, { 'Away from': '8' });
  const away = await shown();
  assert.notDeepEqual(away, usual);
  assert.match(await page.evaluate(() => location.hash), /guidance=3&negative=8&/);
  const gallery = page.getByRole('list', { name: /^Made in this visit/ }).getByRole('button');
  for (const [place, data, value] of /** @type {const} */ ([[1, usual, 'any'], [0, away, '8']])) {
    await gallery.nth(place).click();
    await status(page).filter({ hasText: 'Here again' }).waitFor();
    assert.equal(await control(page, 'Away from').inputValue(), value);
    assert.deepEqual((await pixels(canvas(page, 'The samples x t'))).data, data);
  }
  await settings(page, { 'Away from': 'Any' });
});

test('a drawing, by pointer or by keys, is noised as far as is asked and finished; so is the picture of the forward chain', async () => {
  await settings(page, { Class: '7', Sampler: 'DDIM', Steps: 5, Seed: 2, Count: 2 });
  const drawing = page.getByRole('application', { name: /^Draw here/ });
  await page.getByText('An example. Draw a digit or a stroke here: the first one wipes it away.').waitFor();
  const box = /** @type {{ x: number, y: number, width: number }} */ ((await drawing.scrollIntoViewIfNeeded(), await drawing.boundingBox()));
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.width);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.width, { steps: 4 });
  await page.mouse.up();
  await page.getByText('Your drawing', { exact: true }).waitFor();
  const at = async (/** @type {number} */ x, /** @type {number} */ y) => (await pixels(drawing)).at(x, y)[0];
  assert.deepEqual([await at(128, 128), await at(40, 128)], [255, 0]);
  await drawing.press('ArrowLeft');
  for (const key of [' ', ...Array(10).fill('ArrowLeft'), ' ']) await drawing.press(key);
  assert.equal(await at(80, 205), 255);
  await control(page, 'Strength').fill('60');
  assert.match(await press('Finish it'), /^Done: 2 pictures from your drawing, noised to t = \d+ and led back in 3 steps of DDIM by MNIST digits/);
  await page.getByText(/^Your drawing at t = \d+, where the chain starts\.$/).waitFor();
  const far = await grey(canvas(page, 'Finished, after step 3 of 3'));
  await control(page, 'Strength').fill('20');
  await press('Finish it');
  const near = await grey(canvas(page, 'Finished, after step 1 of 1'));
  assert.ok(apart(near, far) > 5);
  await button(page, 'Clear the drawing').click();
  await page.getByText('An example. Draw a digit or a stroke here: the first one wipes it away.').waitFor();
  await control(page, 'Start from').selectOption({ label: 'The forward chain’s picture' });
  await page.getByText('The forward chain’s picture: the daisy').waitFor();
  assert.match(await press('Finish it'), /^Done: 2 pictures from the daisy/);
  assertFaultless(page);
});

test('a Fast model leaves finishing to Best, as it begins, and says so', async ({ open }) => {
  const page = await open();
  await ready(page);
  await settings(page, { Model: 'MNIST digits, fast' });
  await settings(page, { Class: '3', Seed: 4, Count: 1 });
  await page.getByText('Fast knows too few noise levels for this: Best finishes it.').waitFor();
  assert.match(await done(page, () => button(page, 'Finish it').click()), /^Done: 1 picture from the example, noised to t = \d+ and led back in 13 steps of DPM-Solver\+\+ 2M by MNIST digits in/);
  const made = (await pixels(page.locator('#b-made'))).data;
  await settings(page, { Model: 'MNIST digits' });
  await page.getByText('Fast knows too few noise levels for this: Best finishes it.').waitFor({ state: 'hidden' });
  await settings(page, { Class: '3', Seed: 4, Count: 1 });
  await done(page, () => button(page, 'Finish it').click());
  assert.deepEqual((await pixels(page.locator('#b-made'))).data, made);
  assertFaultless(page);
});

test('with reduced motion a picture that is finished moves twice a second at most', async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 40, Count: 1, Strength: 100, 'Start from': 'My drawing' });
  const changes = page.evaluate(() => new Promise((resolve) => {
    /** @type {number[]} */ const at = [], caption = /** @type {HTMLElement} */ (document.getElementById('b-made-caption'));
    new MutationObserver((_, observer) => {
      at.push(performance.now());
      if (!caption.textContent?.startsWith('Finished')) return;
      observer.disconnect();
      resolve(at);
    }).observe(caption, { childList: true });
  }));
  await press('Finish it');
  const at = /** @type {number[]} */ (await changes);
  assert.ok(at.length < 40);
  for (let i = 1; i < at.length - 1; i++) assert.ok(at[i] - at[i - 1] > 450, String(at));
  await page.emulateMedia({ reducedMotion: null });
});

test('guidance as arrows: from x t to both predictions and beyond, with the picture that the network then predicts', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Seed: 7, Count: 1 });
  await control(page, 'Guidance').fill('1');
  await generate(page);
  await control(page, 'Frame').fill('2');
  assert.match(await press('Draw the arrows'), /^Done: what the network predicts at t = 401 for any class and for 3/);
  const guided = async (/** @type {string} */ w) => {
    await control(page, 'Guidance W').fill(w);
    return grey(canvas(page, `x̂₀ at t = 401 with guidance ${w} towards 3`));
  };
  const [any, one, most] = [await guided('0'), await guided('1'), await guided('6')];
  // With guidance 1 it is what the run itself predicted there: the x̂0 of the next frame.
  await control(page, 'Frame').fill('3');
  assert.deepEqual(one, await grey(canvas(page, /^The network's guess of the finished samples after step 3/)));
  const distance = apart(any, one) / 127.5 * 28; // of 28 × 28 values
  assert.ok(Math.abs(Number(await page.locator('#b-guidance [data-v="apart"]').innerText()) - distance) < 0.02, String(distance));
  assert.ok(apart(any, most) > apart(any, one));
  await canvas(page, 'Arrows from x t at t = 401: to the prediction for any class, to that for 3, and to that with guidance 6').waitFor();
  await settings(page, { Class: 'Any' });
  await generate(page);
  await control(page, 'Frame').fill('1');
  assert.match(await objection(page, () => button(page, 'Draw the arrows').click()), /choose a class and generate/);
  assertFaultless(page);
});

test('a picture is led back to its noise, which leads to it again, the nearer the smaller the steps; the way between two pictures', async () => {
  const name = 'Find its noise and come back';
  await settings(page, { Model: 'MNIST digits' });
  await settings(page, { Class: 'Any', 'Start from': 'My drawing', Between: 'The noise found last and the other seed' });
  assert.match(await objection(page, () => button(page, 'Walk there').click()), /No noise of a picture is found for this model/);
  const off = async (/** @type {number} */ steps) => {
    await settings(page, { 'Steps each way': steps });
    const said = await press(name);
    assert.match(said, new RegExp(`^Done: the example in ${steps} steps of DDIM to its noise and back, `));
    return Number(/ ([\d.]+) away/.exec(said)?.[1]);
  };
  assert.ok(await off(40) < 0.2);
  const back = await grey(canvas(page, 'What comes of that noise'));
  assert.ok(apart(back, await grey(canvas(page, 'the example, as the network sees it'))) < 0.2 * 127.5);
  // By the API, with a picture that the network knows: first order in the steps.
  const spread = await page.evaluate(async () => {
    const { sample: image } = await window.pollen.generate({ sampler: 'dpmpp-2m', steps: 12, class: 3, seed: 3 }), road = { sampler: 'ddim', steps: 4, class: 3, scheduler: { clip_sample: false } };
    const off = async (/** @type {number} */ steps) => {
      const { sample: noise } = await window.pollen.generate({ ...road, steps, image, invert: true });
      const { sample: back } = await window.pollen.generate({ ...road, steps, noise });
      return Math.sqrt(back.reduce((sum, value, i) => sum + (value - image[i]) ** 2, 0) / 784);
    };
    const [few, many] = [await off(10), await off(50)];
    /** @type {number[][]} */ const t = [];
    const { sample } = await window.pollen.generate({ ...road, image, invert: true, onStep: (step) => { t.push([step.t, step.tNext]); } });
    const refused = await Promise.all([{ eta: 1, image }, { image: undefined }, { sampler: 'unipc', image }].map((wrong) => window.pollen.generate({ ...road, invert: true, ...wrong }).then(() => '', ({ message }) => message)));
    return { t, few, many, std: Math.sqrt(sample.reduce((sum, value) => sum + value * value, 0) / 784), refused };
  });
  assert.ok(spread.many < spread.few / 2 && spread.many < 0.1, `${spread.few}, ${spread.many}`);
  assert.deepEqual([spread.t.length, spread.t[0][0]], [4, 0]);
  for (let i = 1; i < 4; i++) assert.equal(spread.t[i][0], spread.t[i - 1][1]);
  assert.ok(spread.std > 0.6 && spread.std < 1.5, String(spread.std));
  for (const [i, sentence] of [/draws no noise/, /begins with a picture/, /only ddim inverts a picture/].entries()) assert.match(spread.refused[i], sentence);
  await settings(page, { 'Start from': 'The forward chain’s picture', Between: 'The noises of the last two pictures', 'Steps each way': 20 });
  await press(name);
  const daisy = await grey(canvas(page, 'What comes of that noise'));
  assert.match(await press('Walk there'), /^Done: 8 pictures on the way from the example to the daisy/);
  assert.ok(apart(await grey(page.getByRole('img', { name: '100 % of the way from the example to the daisy', exact: true })), daisy) < 0.5);
  await settings(page, { Between: 'The seed above and the other seed' });
  assertFaultless(page);
});

test('what was made in this visit comes back, settings and film', async () => {
  const gallery = page.getByRole('list', { name: /^Made in this visit/ }), items = gallery.getByRole('button');
  await settings(page, { Class: '5', Sampler: 'DDIM', Steps: 3, Seed: 21, Count: 1 });
  await generate(page);
  const { data } = await pixels(canvas(page, 'The samples x t'));
  await settings(page, { Class: '6', Seed: 22, Steps: 2 });
  await generate(page);
  const count = await items.count();
  assert.ok(count >= 2);
  await generate(page); // the same once more
  assert.equal(await items.count(), count);
  await gallery.getByRole('button', { name: 'Bring back 1 picture of MNIST digits, class 5, seed 21' }).click();
  await status(page).filter({ hasText: 'Here again: MNIST digits, class 5, seed 21.' }).waitFor();
  assert.deepEqual((await pixels(canvas(page, 'The samples x t'))).data, data);
  assert.deepEqual(await Promise.all(['Seed', 'Steps'].map((name) => control(page, name).inputValue())), ['21', '3']);
  assert.equal(await control(page, 'Frame').getAttribute('max'), '3');
  assert.equal(await gallery.locator('[aria-current="true"]').innerText(), 'seed 21');
  assert.equal(await alert(page).innerText(), '');
  assertFaultless(page);
});
