// Two hundred actions of a visitor in a hurry, drawn by a seed: uploads, runs, cancels, resizes, model switches, exports and what they
// bring back, trainings, the tab hidden and shown. Nothing may be said on the console. The first ten actions have one of each heavy kind;
// after them, and at the end, the same digits are generated: the buffers on the GPU must then be the same to the byte, and in the second
// half of the actions WebAssembly's memory, which has no way to shrink, must not have grown:
//     POLLEN_URL=http://127.0.0.1:8080/ [SEED=1] [ACTIONS=200] [DEVICE=cpu] node tests/outside/stress.mjs
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { png } from '../browser/support/images.js';
import { alert, button, control, ready, settings, status, upload } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium', SEED = '1', ACTIONS = '200', DEVICE = 'cpu' } = process.env;
const LONGEST_MS = DEVICE === 'gpu' ? 400_000 : 120_000, MB = 1 << 20; // on the software adapter two trainings of twenty steps and a walk take minutes
let state = Number(SEED);
/** Mulberry32: below n. */
function draw(/** @type {number} */ n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
}

const gpu = DEVICE === 'gpu' ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'] : [];
const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM, args: [...gpu, '--js-flags=--expose-gc'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, serviceWorkers: 'block' }); // one would answer in the place of this:
/** Counts the bytes of the buffers that live, in the engine's Worker. */
function counting() {
  const scope = /** @type {any} */ (globalThis), make = scope.GPUDevice?.prototype.createBuffer, destroy = scope.GPUBuffer?.prototype.destroy;
  const living = new Map(), gone = new FinalizationRegistry((id) => living.delete(id)), ids = new WeakMap();
  scope.bufferBytes = () => [...living.values()].reduce((sum, size) => sum + size, 0);
  if (!make) return;
  scope.GPUDevice.prototype.createBuffer = function (/** @type {{ size: number }} */ options) {
    const buffer = make.call(this, options), id = Symbol('buffer');
    living.set(id, options.size);
    ids.set(buffer, id);
    gone.register(buffer, id);
    return buffer;
  };
  scope.GPUBuffer.prototype.destroy = function () { living.delete(ids.get(this)); return destroy.call(this); };
}
await context.route('**/wasm/pollen.js', async (route) => {
  const response = await route.fetch();
  await route.fulfill({ response, body: `(${counting})();\n${await response.text()}` });
});
const page = await context.newPage();
page.setDefaultTimeout(LONGEST_MS);
/** @type {string[]} */ const faults = [];
page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
page.on('console', (message) => { if (message.type() === 'error') faults.push(`console: ${message.text()}`); });
await page.goto(`${POLLEN_URL}?device=${DEVICE}`);
await ready(page);
await page.evaluate(() => document.querySelectorAll('details').forEach((one) => one.setAttribute('open', '')));

/** Bytes of the engine's WebAssembly memory. */
const memory = () => page.workers()[0].evaluate(async (url) => (await (await import(url)).default()).memory.buffer.byteLength, `${POLLEN_URL}wasm/pollen.js`);
/** Bytes of the GPU's buffers, those that nobody holds any more being collected. */
const buffers = () => page.workers()[0].evaluate(async () => {
  const scope = /** @type {any} */ (globalThis);
  scope.gc();
  await new Promise((resolve) => setTimeout(resolve));
  return /** @type {number} */ (scope.bufferBytes());
});
const idle = () => page.waitForFunction(() => /** @type {HTMLButtonElement} */ (document.getElementById('cancel')).disabled);
const press = async (/** @type {string} */ name) => { await button(page, name).click(); };
/** Cancels what runs after a while, where it still does. */
const cancel = async () => {
  await page.waitForTimeout(draw(1500));
  await page.keyboard.press('Escape');
};
const picture = (/** @type {number} */ width, /** @type {number} */ height) => png(width, height, (x, y) => [x & 255, y & 255, (x * y) & 255, 255]);
const MODELS = ['MNIST digits', 'MNIST digits, fast', 'Oxford Flowers'];
const quick = async (/** @type {number} */ count = 1 + draw(4)) => {
  const flowers = await control(page, 'Model').inputValue() === 'flowers64';
  await settings(page, { Seed: draw(1e6), Steps: 1 + draw(flowers ? 2 : 5), Count: flowers ? 1 : count });
};
/** What was saved. @type {{ name: string, mimeType: string, buffer: Buffer }[]} */ const files = [];
const save = async (/** @type {string} */ name) => {
  if (await button(page, name).isDisabled()) return 'disabled';
  const [download] = await Promise.all([page.waitForEvent('download'), press(name)]);
  const file = download.suggestedFilename();
  files.push({ name: file, mimeType: 'image/png', buffer: readFileSync(await download.path()) });
  await download.delete();
  return file;
};

/** A few steps of training on the forward chain's picture. */
const train = async () => {
  await settings(page, { 'Picture size': '16 × 16', Network: 'Small: 16, 32, 64 channels', 'Pictures a step': 2, 'Training steps': 4 + draw(20), 'Sample every': 2 + draw(3) });
  await press('Train');
};
/** One or none of the last filling's buttons. */
const filled = (/** @type {RegExp} */ name) => page.locator('#f-made li').first().getByRole('button', { name });
const fill = async () => {
  await settings(page, { 'Steps down': 2 + draw(2), 'Go back by': 1 + draw(2), 'Seed of the filling': draw(1e6) });
  await page.getByLabel(/^Each x.*times$/).fill(String(1 + draw(2)));
  await press(['Cover the lower half', 'Cover the lower half', 'Uncover all'][draw(3)]);
  await press('Fill it in');
};

/** @type {Record<string, () => Promise<unknown>>} */
const actions = {
  upload: () => upload(page, `picture${draw(9)}.png`, picture(8 + draw(300), 8 + draw(300))),
  'upload what is none': () => upload(page, 'none.png', Buffer.from('not a picture')),
  seed: () => settings(page, { Seed: draw(1e6) }),
  generate: async () => { await quick(); await press('Generate'); },
  'generate and cancel': async () => { await settings(page, { Steps: 50 }); await press('Generate'); await cancel(); },
  diffuse: async () => { await control(page, 'Length T').fill(String(10 + draw(90))); await press('Diffuse'); },
  'diffuse and cancel': async () => { await control(page, 'Length T').fill('1000'); await press('Diffuse'); await cancel(); },
  scrub: async () => { if (!await control(page, 'Frame').isDisabled()) await control(page, 'Frame').fill('0'); if (!await control(page, 'Timestep t').isDisabled()) await control(page, 'Timestep t').fill('5'); },
  resize: () => page.setViewportSize({ width: 320 + draw(1200), height: 500 + draw(600) }),
  model: async () => { await settings(page, { Model: MODELS[draw(3)] }); },
  'model and generate': async () => { await settings(page, { Model: MODELS[draw(3)] }); await quick(); await press('Generate'); },
  png: () => save('Save as PNG'), apng: () => save('Save as APNG'), gif: () => save('Save as GIF'), strip: () => save('Save as a strip'),
  finish: async () => { await quick(); await press('Finish it'); },
  branch: async () => { if (!await control(page, 'Frame').isDisabled()) await control(page, 'Frame').fill('0'); await press('Branch from the film’s frame'); },
  arrows: async () => {
    if (!await control(page, 'Frame').isDisabled()) await control(page, 'Frame').fill('0');
    await press('Draw the arrows');
    await control(page, 'Guidance W').fill(String(draw(6)));
  },
  walk: async () => { if (await control(page, 'Model').inputValue() !== 'flowers64') { await quick(); await press('Walk there'); } },
  race: async () => { if (await control(page, 'Model').inputValue() !== 'flowers64') { await press('Race'); if (draw(2)) await cancel(); } },
  bound: async () => { await control(page, 'Timesteps visited').fill('2'); await press('Measure the bound'); if (draw(2)) await cancel(); },
  'ideal denoiser': async () => { await control(page, 'Steps of the ideal denoiser').fill('3'); await press('Sample the ideal denoiser'); },
  plane: () => press('Draw the paths'),
  'plane beside a run': async () => { await quick(1); await press('Generate'); await press('Draw the paths'); },
  'how far each lane is': async () => {
    const measure = button(page, 'Measure how far each is from the exact path');
    if (!await measure.isVisible() || !await measure.isEnabled()) return;
    await measure.click();
    await cancel();
  },
  corners: async () => { if (await control(page, 'Model').inputValue() !== 'flowers64') { await quick(); await press('Show the four corners'); } },
  table: async () => { await quick(); await settings(page, { 'Seeds side by side': 1 + draw(2) }); await press('Fill the table'); if (draw(2)) await cancel(); },
  'there and back': async () => { await quick(); await settings(page, { 'Steps each way': 2 + draw(3) }); await press('Find its noise and come back'); },
  fill, 'fill and cancel': async () => { await settings(page, { 'Steps down': 50 }); await press('Fill it in'); await cancel(); },
  'save a filling': async () => {
    const button = filled(/^Save as PNG/);
    if (!await button.count()) return;
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    files.push({ name: download.suggestedFilename(), mimeType: 'image/png', buffer: readFileSync(await download.path()) });
  },
  'bring back a file': async () => { const of = files.filter(({ name }) => name.endsWith('.png')); if (of.length) await control(page, 'Bring a run back from its PNG').setInputFiles(of[draw(of.length)]); },
  'look inside': async () => { await press('Look inside'); if (draw(3) === 0) await cancel(); },
  'another layer': async () => {
    for (const all of [page.locator('#u-network button'), page.locator('#u-operations button')]) {
      const n = await all.count();
      if (n && await all.first().isVisible()) await all.nth(draw(n)).click();
    }
  },
  measure: async () => { await press('Measure this device'); if (draw(3)) await cancel(); },
  train, 'train and cancel': async () => { await train(); await cancel(); },
  'train, pause, go on': async () => {
    await train();
    if (await button(page, 'Pause').isEnabled()) await button(page, 'Pause').click({ timeout: 2000 }).catch(() => {}); // it may be over
    await idle();
    if (await button(page, 'Resume').isVisible()) await press('Resume');
  },
  'bring back': async () => { const all = page.locator('#gallery button'), n = await all.count(); if (n) await all.nth(draw(n)).click(); },
  'to forward': async () => { if (!await button(page, 'Take it to the forward chain').isDisabled()) await press('Take it to the forward chain'); },
  'hidden and shown': () => page.evaluate(async () => {
    for (const hidden of [true, false]) {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }),
};
/** The first ten, one of each heavy kind: every model with its largest batch, a training while the flowers are open, what takes much at once. @type {(() => Promise<unknown>)[]} */
const heaviest = [
  ...MODELS.map((Model) => async () => { await settings(page, { Model }); await settings(page, { Steps: 2, Count: Model.includes('digits') ? 8 : 1 }); await press('Generate'); }),
  async () => { for (let i = 0; i < 2; i++) { await train(); await idle(); } await settings(page, { Model: MODELS[2] }); await press('Generate'); await idle(); await train(); await idle(); await settings(page, { Model: MODELS[2] }); await press('Generate'); await idle(); await actions['train, pause, go on'](); }, // each training while the one before is still there, the last two beside the flowers; one is taken up again
  async () => { await settings(page, { Model: MODELS[0] }); await settings(page, { Steps: 5 }); await press('Walk there'); },
  () => press('Race'),
  async () => { await upload(page, 'large.png', picture(1500, 1200)); await press('Diffuse'); },
  fill,
  async () => { await quick(); await press('Generate'); await idle(); await press('Look inside'); await idle(); await press('Draw the paths'); },
  async () => { await press('Measure this device'); await idle(); await control(page, 'Timesteps visited').fill('8'); await press('Measure the bound'); },
];

const names = Object.keys(actions), began = performance.now(), count = Number(ACTIONS), first = heaviest.length;
let warm = 0, half = 0, most = 0, warmGpu = 0, mostGpu = 0, heap = 0, complaints = 0;
/** @type {Record<string, number>} */ const done = {};
const session = await page.context().newCDPSession(page);
/** Bytes of the GPU's buffers, with eight digits generated. */
async function resting() {
  await settings(page, { Model: MODELS[0] });
  await settings(page, { Class: 'Any', Seed: 1, Steps: 2, Count: 8 });
  await press('Generate');
  await idle();
  return buffers();
}
const used = async () => { await session.send('HeapProfiler.collectGarbage'); return (await session.send('Runtime.getHeapUsage')).usedSize; };
for (let i = 0; i < count; i++) {
  const name = i < heaviest.length ? `heavy ${i + 1}` : names[draw(names.length)];
  if (process.env.VERBOSE) console.log(`${i + 1} ${name}`);
  try {
    await (heaviest[i] ?? actions[name])();
    await idle();
  } catch (error) {
    throw new Error(`action ${i + 1}, ${name}: ${/** @type {Error} */ (error).message}\nthe page says: ${await status(page).innerText()}`);
  }
  done[name] = (done[name] ?? 0) + 1;
  const said = await alert(page).innerText();
  if (said) {
    complaints++;
    if (process.env.VERBOSE) console.log(`${i + 1} ${name}: ${said.replace(/\s+/g, ' ')}`);
    await alert(page).getByRole('button', { name: 'Close' }).click({ timeout: 5000 }).catch(() => {}); // the plane's paths may have come meanwhile, and with them another sentence
  }
  assert.deepEqual(faults, [], `action ${i + 1}, ${name}`);
  const grown = await memory();
  if (process.env.VERBOSE && grown > most) console.log(`${i + 1} ${name}: ${(grown / MB).toFixed(1)} MiB`);
  most = grown;
  mostGpu = Math.max(mostGpu, await buffers());
  if (i + 1 === first) [warm, warmGpu, heap] = [most, await resting(), await used()];
  if (i + 1 === Math.ceil(count / 2)) half = most;
  if ((i + 1) % 20 === 0) console.log(`${i + 1} actions, ${((performance.now() - began) / 1000).toFixed()} s: ${(most / MB).toFixed(1)} MiB of WebAssembly, ${(await used() / MB).toFixed(1)} MiB of JavaScript`);
}
const lastGpu = await resting();
assert.equal(lastGpu, warmGpu, 'bytes of buffers on the GPU, with the same digits generated after the first ten and at the end');
assert.equal(most, half, 'bytes of WebAssembly at the end and half-way');
console.log(Object.entries(done).map(([name, n]) => `${n} ${name}`).join(', '));
console.log(`seed ${SEED}: ${count} actions, nothing on the console, ${complaints} sentences in the alert; WebAssembly ${(warm / MB).toFixed(1)} MiB after ${first}, ${(half / MB).toFixed(1)} half-way and ${(most / MB).toFixed(1)} at the end; buffers on the GPU ${(warmGpu / MB).toFixed(1)} and ${(lastGpu / MB).toFixed(1)} MiB with the same digits, ${(mostGpu / MB).toFixed(1)} at most; JavaScript ${(heap / MB).toFixed(1)} and ${(await used() / MB).toFixed(1)} MiB`);
await browser.close();
