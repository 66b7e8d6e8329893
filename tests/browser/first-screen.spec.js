// What a visitor sees on arrival: what it is, both verbs, two pictures, nothing empty; the contents bar; what axe-core finds.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { figure } from '../../www/ui/numbers.js';
import { violations } from './support/axe.js';
import { address, assertFaultless, test } from './support/harness.js';
import { button, canvas, control, diffuse, done, generate, pixels, ready, settings } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */

const WIDE = { width: 1440, height: 900 }, PHONE = { width: 390, height: 844 };
const dissolving = (/** @type {Page} */ page) => canvas(page, /^Forward: /), samples = (/** @type {Page} */ page) => canvas(page, /^Reverse: /);
const shades = async (/** @type {import('@playwright/test').Locator} */ locator) => new Set((await pixels(locator)).data).size;

for (const [name, viewport] of Object.entries({ WIDE, PHONE })) {
  test(`without scrolling: what it is, both verbs, two pictures (${name})`, async ({ open }) => {
    const page = await open({ context: { viewport } });
    await ready(page);
    await page.getByText(/^Example: 16 pictures that MNIST digits drew from 16 noises, none picked out$/).waitFor();
    const first = [page.getByRole('heading', { level: 1 }), page.getByText(/A diffusion model is two chains/), page.getByText('Upload an image', { exact: true }),
      button(page, 'Diffuse'), button(page, 'Generate'), dissolving(page), samples(page)];
    const bar = await page.getByRole('complementary').boundingBox();
    for (const part of first) {
      const box = await part.boundingBox();
      assert.ok(box && bar && box.y >= 0 && box.y + box.height <= bar.y && box.x >= 0 && box.x + box.width <= viewport.width, `${part}: ${JSON.stringify(box)}`);
    }
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.ok(await shades(dissolving(page)) > 50 && await shades(samples(page)) > 50);
    assert.equal(await page.getByText('Nothing yet').count(), 0);
    // Every frame that is there has a picture in it.
    for (const frame of await page.locator('.frame:visible').all()) assert.ok(await shades(frame.locator('canvas:visible')) > 20, await frame.evaluate(({ id }) => id));
    const shift = await page.evaluate(() => new Promise((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, entry) => sum + /** @type {any} */ (entry).value, 0))).observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => resolve(0), 1000); // there was none
    }));
    assert.ok(shift <= 0.02, `the layout shifted by ${shift}`);
    assertFaultless(page);
  });
}

test('what the first screen is painted from weighs 200 KB at most over the wire, its faces and all scripts among it', async ({ open }) => {
  const page = await open({ blank: true }), /** @type {string[]} */ asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(address);
  await ready(page);
  const paths = [...new Set(asked)].filter((url) => url.startsWith(address)).map((url) => url.slice(address.length)).filter((path) => !/^(models|wasm|worker|fonts\/(maths|italic))/.test(path)); // formulas come below
  let sum = 0;
  for (const path of paths) {
    const body = Buffer.from(await (await fetch(address + path)).arrayBuffer());
    sum += /\.(woff2|jpg|png|webp)$/.test(path) ? body.length : gzipSync(body, { level: 9 }).length;
  }
  assert.ok(paths.length > 80 && paths.includes('fonts/text.woff2'), paths.join(' '));
  console.log(`${paths.length} files, ${sum} bytes`);
  assert.ok(sum <= 200_000, `${sum} bytes`);
  // Each face is there for what it is for.
  for (const [face, text] of [['1em "Inter"', 'Generate'], ['500 1em "STIX Two Text"', 'Pollen'], ['italic 1em "STIX Two Text"', 'xε'], ['1em "STIX Two Math"', '𝑥𝜀∑√ᾱ']]) {
    const loaded = await page.evaluate(([face, text]) => document.fonts.load(face, text).then((all) => all.map(({ status }) => status)), [face, text]);
    assert.ok(loaded.length && loaded.every((status) => status === 'loaded'), `${face}: ${loaded}`);
  }
  assertFaultless(page);
});

test('the daisy dissolves once, and stands still for who asks for less movement or data', async ({ open }) => {
  const still = /** @type {const} */ ({ reducedMotion: 'reduce' });
  for (const [context, save, moves] of /** @type {[import('@playwright/test').BrowserContextOptions, boolean, boolean][]} */ ([[{}, false, true], [still, false, false], [{}, true, false]])) {
    const page = await open({ blank: true, context });
    await page.addInitScript((save) => {
      Object.defineProperty(navigator, 'connection', { value: { saveData: save } });
      const scope = /** @type {any} */ (globalThis);
      scope.captions = [];
      new MutationObserver(() => {
        const caption = document.getElementById('hero-forward-caption')?.textContent;
        if (caption && scope.captions.at(-1) !== caption) scope.captions.push(caption);
      }).observe(document, { subtree: true, childList: true, characterData: true });
    }, save);
    await page.goto(address);
    await ready(page);
    await page.waitForFunction(() => /** @type {any} */ (globalThis).captions.at(-1)?.includes('50 % picture'));
    const captions = /** @type {string[]} */ (await page.evaluate(() => /** @type {any} */ (globalThis).captions));
    const timesteps = captions.map((caption) => Number(/^t = (\d+) of 1000/.exec(caption)?.[1] ?? 0));
    assert.equal(timesteps.some((t) => t === 1000), moves, captions.join('; '));
    assert.ok(moves ? new Set(timesteps).size > 8 : new Set(timesteps).size === 2, captions.join('; '));
    assertFaultless(page);
  }
});

test('before any run the slider shows single jumps, with the values approaching a normal distribution', async ({ open }) => {
  const page = await open();
  await ready(page);
  const slider = control(page, 'Timestep t');
  await page.waitForFunction(() => !/** @type {HTMLInputElement} */ (document.getElementById('forward-t')).disabled);
  await slider.fill('1000');
  await canvas(page, 'The picture at timestep 1000 of 1000, reached in one jump').waitFor();
  const moments = await page.locator('#moments').innerText();
  const [mean, deviation] = [...moments.matchAll(/−?\d\.\d+/g)].map(([value]) => Number(value.replace('−', '-')));
  assert.ok(Math.abs(mean) < 0.05 && Math.abs(deviation - 1) < 0.03, moments);
  // The picture is that of the formula: x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε.
  await slider.fill('300');
  const shown = await pixels(canvas(page, /^The picture at timestep 300/));
  const { alphaBar, noise } = await page.evaluate(async () => ({
    alphaBar: (await window.pollen.schedule()).alphaBar[300], noise: [...await window.pollen.randn({ seed: 0, shape: [3, 64, 64] })],
  }));
  await slider.fill('0');
  const start = await pixels(canvas(page, /^The picture before any noise/));
  for (let i = 0; i < 4096; i += 97) {
    const x = Math.sqrt(alphaBar) * (start.data[4 * i] / 127.5 - 1) + Math.sqrt(1 - alphaBar) * noise[i];
    assert.ok(Math.abs(shown.data[4 * i] - Math.max(0, Math.min(255, (x + 1) * 127.5))) <= 1, `pixel ${i}`);
  }
  const chart = page.getByRole('slider', { name: 'Values of x t, as a density' });
  await slider.fill('1000');
  await chart.press('Home');
  assert.match(await chart.getAttribute('aria-valuetext') ?? '', new RegExp(`^value −3\\.950: xₜ \\S+, 𝒩\\(0, 1\\) ${figure(Math.exp(-(3.95 ** 2) / 2) / Math.sqrt(2 * Math.PI))}`));
  assertFaultless(page);
});

test('the contents bar leads to each section, marks the one that is read, and keeps both verbs in view', async ({ open }) => {
  const page = await open({ context: { viewport: WIDE } });
  await ready(page);
  const contents = page.getByRole('navigation', { name: 'Contents' });
  for (const [link, heading] of [['Reverse', /^The reverse chain/], ['Bound', /^The variational bound/], ['Forward', /^The forward chain/]]) {
    await contents.getByRole('link', { name: String(link) }).click();
    await contents.locator('[aria-current]', { hasText: String(link) }).waitFor();
    assert.equal(await contents.locator('[aria-current]').count(), 1);
    const box = await page.getByRole('heading', { name: heading }).boundingBox(), verbs = await button(page, 'Generate').boundingBox();
    assert.ok(box && verbs && box.y < 450 && verbs.y >= 0 && verbs.y + verbs.height <= box.y, JSON.stringify([box, verbs]));
  }
});

test('on a phone the contents bar fades at an edge beyond which there is more, and brings the current part into its middle', async ({ open }) => {
  const page = await open({ context: { viewport: PHONE } });
  await ready(page);
  const list = page.locator('.contents > ul'), edges = (/** @type {string} */ wanted) => page.waitForFunction((wanted) => ['from', 'on'].filter((edge) => document.querySelector('.contents > ul')?.classList.contains(edge)).join() === wanted, wanted);
  await edges('on');
  // What is at a fading edge is seen through it.
  assert.match(await list.evaluate((element) => getComputedStyle(element).maskImage), /linear-gradient\(.*rgba\(0, 0, 0, 0\)/);
  for (const [id, faded] of [['train', 'from,on'], ['speed', 'from'], ['forward', 'on']]) {
    await page.evaluate((id) => document.getElementById(id)?.scrollIntoView(), id);
    const current = page.locator(`.contents [aria-current][href="#${id}"]`);
    await current.waitFor();
    await edges(faded);
    const box = await current.boundingBox(), all = await list.boundingBox();
    assert.ok(box && all && box.x >= all.x && box.x + box.width <= all.x + all.width, JSON.stringify([box, all]));
    if (id === 'train') assert.ok(Math.abs(box.x + box.width / 2 - all.x - all.width / 2) < 3, JSON.stringify([box, all]));
  }
  await page.setViewportSize(WIDE);
  await edges('');
  assertFaultless(page);
});

test('on a phone a picture that forms out of sight is shown small above the status, and leads to itself', async ({ open }) => {
  const page = await open({ context: { viewport: PHONE } }), small = page.getByRole('button', { name: 'To the picture that is forming' });
  await ready(page);
  await settings(page, { Steps: 900, Count: 1 });
  await button(page, 'Generate').click();
  await page.waitForFunction(() => Number(document.getElementById('progress')?.ariaValueNow) > 0);
  assert.ok(!await small.isVisible(), 'the picture itself is in sight');
  await control(page, 'Class').scrollIntoViewIfNeeded();
  await small.waitFor();
  const box = await small.boundingBox(), cancel = await button(page, 'Cancel').boundingBox();
  assert.ok(box && cancel && box.x + box.width <= PHONE.width && box.y + box.height <= cancel.y, JSON.stringify([box, cancel]));
  assert.ok((await pixels(small.locator('canvas'))).data.some((value, i) => i % 4 < 3 && value > 128), 'noise is in it');
  await small.press('Enter');
  await small.waitFor({ state: 'hidden' });
  const large = await canvas(page, /^The samples x t/).boundingBox();
  assert.ok(large && large.y > 100 && large.y + large.height < PHONE.height, JSON.stringify(large));
  await page.keyboard.press('Escape');
  assertFaultless(page);
});

for (const [name, context] of /** @type {[string, import('@playwright/test').BrowserContextOptions][]} */ ([
  ['light, wide', { viewport: WIDE }], ['dark, a phone', { viewport: PHONE, colorScheme: 'dark' }],
])) {
  test(`axe-core finds nothing wrong, on arrival, after both chains and the bound: ${name}`, async ({ open }) => {
    const page = await open({ context });
    await ready(page);
    assert.deepEqual(await violations(page), []);
    await control(page, 'Length T').fill('20');
    await diffuse(page);
    await settings(page, { Class: '3', Steps: 2, Count: 1 });
    await generate(page);
    await settings(page, { Seed: 1 });
    await generate(page); // and what was made in this visit is there
    await control(page, 'Frame').fill('0');
    await page.getByText('What fewer passes cost').click();
    await page.getByRole('slider', { name: 'FID by passes of the network' }).waitFor();
    for (const name of ['Finish it', 'Branch from the film’s frame', 'Find its noise and come back', 'Walk there', 'Show the four corners', 'Draw the arrows', 'Look inside']) await done(page, () => button(page, name).click());
    assert.deepEqual(await violations(page), []);
    await control(page, 'Timesteps visited').fill('3');
    await done(page, () => button(page, 'Measure the bound').click());
    assert.deepEqual(await violations(page), []);
  });
}
