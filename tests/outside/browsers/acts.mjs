// What every browser is asked to do, in this order, each as a visitor does it. An act gives a sentence on what it saw, and puts into
// `made` what must be the same in all browsers.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { png } from '../../browser/support/images.js';
import { held } from './files.mjs';

/** @import { Driver, Run } from './browsers.mjs' */

const STARTED_MS = 60_000, RUN_MS = 240_000, SAVED_MS = 60_000;
const WIDE = [1440, 1000], NARROW = [390, 844];

/** The id of the control of that label, or of the button that is so called, which it brings into the middle of the window. */
const find = (/** @type {Driver} */ driver, /** @type {string} */ name) => driver.run((/** @type {string} */ name) => {
  const said = (/** @type {Element} */ one) => one.textContent?.replace(/\s+/g, ' ').trim() === name;
  const label = [...document.querySelectorAll('label')].find(said), one = label?.control ?? [...document.querySelectorAll('button')].find(said);
  if (!one) throw new Error(`nothing on the page is called “${name}”`);
  one.id ||= `called-${name.toLowerCase().replaceAll(' ', '-')}`;
  for (let fold = one.closest('details:not([open])'); fold; fold = fold.parentElement?.closest('details:not([open])') ?? null) fold.setAttribute('open', '');
  one.scrollIntoView({ block: 'center' });
  return one.id;
}, name);

const press = async (/** @type {Driver} */ driver, /** @type {string} */ name) => driver.click(await find(driver, name));

/** @param {Driver} driver @param {Record<string, string | number>} values */
async function settings(driver, values) {
  for (const [name, value] of Object.entries(values)) {
    await driver.run((/** @type {string} */ id, /** @type {string} */ value) => {
      const field = /** @type {any} */ (document.getElementById(id));
      field.value = field.options ? [...field.options].find(({ label }) => label === value).value : value;
      for (const type of ['input', 'change']) field.dispatchEvent(new Event(type, { bubbles: true }));
    }, await find(driver, name), String(value));
  }
}

/** Presses what starts a run, and waits for its last sentence, which must be “Done …”. */
async function done(/** @type {Driver} */ driver, /** @type {string} */ name) {
  await driver.run((/** @type {number} */ ms) => {
    const [status, alert] = ['status', 'alert'].map((id) => /** @type {HTMLElement} */ (document.getElementById(id)));
    Object.assign(globalThis, { ended: new Promise((resolve) => {
      setTimeout(() => resolve(`after ${ms} ms the page says: ${status.textContent}`), ms);
      new MutationObserver(() => {
        if (alert.textContent?.trim()) resolve(`the page objects: ${alert.textContent.trim()}`);
        if (status.textContent?.startsWith('Done')) resolve(status.textContent);
      }).observe(/** @type {Node} */ (status.closest('aside')), { subtree: true, childList: true, characterData: true });
    }) });
  }, RUN_MS);
  const began = performance.now();
  await press(driver, name);
  const said = await driver.run(() => /** @type {any} */ (globalThis).ended);
  assert.match(said, /^Done/);
  return `“${said}” after ${((performance.now() - began) / 1000).toFixed(1)} s`;
}

/** The SHA-256 of a canvas's bytes, which are not all the same. */
async function pixels(/** @type {Driver} */ driver, /** @type {string} */ id) {
  const { width, height, data } = await driver.run((/** @type {string} */ id) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById(id)), { width, height } = canvas;
    return { width, height, data: [...canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? []] };
  }, id);
  assert.ok(new Set(data).size > 20, `${id} is empty`);
  return `${width} × ${height}, ${createHash('sha256').update(Uint8Array.from(data)).digest('hex')}`;
}

/** Presses what saves a file; its bytes, once they are all there. */
async function saved(/** @type {Driver} */ driver, /** @type {string} */ name) {
  const before = new Set(readdirSync(driver.downloads)), began = performance.now();
  await press(driver, name);
  for (let last = -1; performance.now() - began < SAVED_MS; await wait(200)) {
    const fresh = readdirSync(driver.downloads).filter((file) => !before.has(file));
    if (fresh.length !== 1 || !/\.(png|gif)$/.test(fresh[0])) continue;
    const bytes = readFileSync(join(driver.downloads, fresh[0]));
    if (bytes.length && bytes.length === last) return { file: fresh[0], ...held(bytes) };
    last = bytes.length;
  }
  throw new Error(`${name}: no file after ${SAVED_MS} ms; ${driver.downloads} has ${readdirSync(driver.downloads).join(', ') || 'none'}`);
}

/** @type {[string, (run: Run) => Promise<string>][]} */
export const acts = [
  ['opens', async ({ driver, url }) => {
    await driver.resize(WIDE[0], WIDE[1]);
    await driver.open(`${url}?way=best`);
    let said = '';
    for (let began = performance.now(); !said.startsWith('Ready'); await wait(100)) {
      if (performance.now() - began > STARTED_MS) throw new Error(`the page says: ${said}`);
      said = await driver.run(() => document.querySelector('[role="status"]')?.textContent ?? '');
    }
    const { adapter, why } = await driver.run(() => ({ adapter: /** @type {any} */ (globalThis).pollen.adapter, why: document.getElementById('no-webgpu')?.textContent?.trim() ?? '' }));
    assert.equal(adapter.device, 'cpu', 'there is WebGPU here');
    assert.ok(why, 'the page does not say why the processor does the work');
    return `“${said}” (${adapter.reason})`;
  }],
  ['uploads and diffuses', async ({ driver, made, folder }) => {
    const picture = join(folder, 'picture.png');
    writeFileSync(picture, png(64, 64, (x, y) => [4 * x, 4 * y, (x ^ y) * 4, 255]));
    await driver.upload(await find(driver, 'Upload an image'), picture);
    for (let tries = 0; !/picture/.test(await driver.run(() => document.getElementById('forward-caption')?.textContent ?? '')); tries++) {
      assert.ok(tries < 100, 'the picture is not taken');
      await wait(100);
    }
    await settings(driver, { 'Length T': 20 });
    const said = await done(driver, 'Diffuse');
    made['x_20 of the uploaded picture'] = await pixels(driver, 'forward-canvas');
    return said;
  }],
  ['generates', async ({ driver, made }) => {
    await settings(driver, { Class: '3', Sampler: 'DDIM', Steps: 5, Seed: 2, Count: 1 });
    const said = await done(driver, 'Generate');
    made['the digit'] = await pixels(driver, 'xt-canvas');
    return said;
  }],
  ['exports', async ({ driver, made }) => {
    /** @type {string[]} */ const seen = [];
    for (const [button, kind, frames] of /** @type {const} */ ([['Save as PNG', 'PNG', 1], ['Save as APNG', 'PNG', 6], ['Save as GIF', 'GIF', 6]])) {
      const { file, ...rest } = await saved(driver, button);
      assert.deepEqual([rest.kind, rest.frames], [kind, frames], `${button}: ${JSON.stringify(rest)}`);
      made[button] = JSON.stringify(rest);
      seen.push(`${file} (${rest.width} × ${rest.height}, ${rest.frames === 1 ? 'one frame' : `${rest.frames} frames`})`);
    }
    return seen.join(', ');
  }],
  ['cancels', async ({ driver }) => {
    await settings(driver, { Sampler: 'DDPM', Steps: 1000 });
    await driver.run((/** @type {string} */ id) => {
      const cancel = /** @type {HTMLButtonElement} */ (document.getElementById(id)), status = /** @type {HTMLElement} */ (document.getElementById('status'));
      Object.assign(globalThis, { cancelled: new Promise((resolve) => cancel.addEventListener('click', () => {
        const began = performance.now();
        const look = () => (/ancelled/.test(status.textContent ?? '') && cancel.disabled ? resolve([performance.now() - began, status.textContent]) : setTimeout(look, 10));
        look();
      }, { once: true, capture: true })) });
    }, await find(driver, 'Cancel'));
    await press(driver, 'Generate');
    for (let tries = 0; !await driver.run(() => /step/.test(document.getElementById('progress')?.getAttribute('aria-valuetext') ?? '')); tries++) {
      assert.ok(tries < 300, 'no step is made');
      await wait(100);
    }
    await press(driver, 'Cancel');
    const [ms, said] = await driver.run(() => /** @type {any} */ (globalThis).cancelled);
    assert.ok(ms < 1000, `${ms} ms`);
    return `“${said}” after ${Math.round(ms)} ms`;
  }],
  ['shows the focus of the keyboard', async ({ driver }) => {
    await driver.run(() => { scrollTo(0, 0); document.querySelector('a')?.focus(); });
    /** @type {string[]} */ const seen = [];
    for (let i = 0; i < 30; i++) {
      await driver.key('Tab');
      const { name, outline } = await driver.run(() => {
        const one = /** @type {HTMLElement} */ (document.activeElement), label = /** @type {HTMLInputElement} */ (one).labels?.[0]?.textContent;
        const ringed = [one, one.closest('.upload')].find((ringed) => ringed && getComputedStyle(ringed).outlineStyle !== 'none');
        return { name: `${one.localName} “${(label ?? one.textContent ?? '').trim().slice(0, 30)}”`, outline: ringed ? Number.parseFloat(getComputedStyle(ringed).outlineWidth) : 0 };
      });
      assert.ok(name.startsWith('body') || outline >= 2, `${name} has no ring: ${outline}`);
      seen.push(name);
    }
    assert.ok(new Set(seen).size > 20, `Tab reaches ${new Set(seen).size} places: ${seen.join(', ')}`);
    const slider = await find(driver, 'Timestep t'), value = () => driver.run((/** @type {string} */ id) => Number(/** @type {HTMLInputElement} */ (document.getElementById(id)).value), slider);
    await driver.run((/** @type {string} */ id) => document.getElementById(id)?.focus(), slider);
    await driver.key('Home');
    const from = await value();
    await driver.key('ArrowRight');
    assert.equal(await value() - from, 1, 'the arrow does not move the slider by one');
    return `${new Set(seen).size} places in 30 Tabs, the slider moves by one`;
  }],
  ['is drawn', async ({ driver, folder }) => {
    const shots = join(folder, 'shots');
    mkdirSync(shots, { recursive: true });
    const wide = [];
    for (const [name, [width, height]] of Object.entries({ wide: WIDE, narrow: NARROW })) {
      await driver.resize(width, height);
      await wait(1000);
      const ids = await driver.run(() => ['top', ...[...document.querySelectorAll('section.chain')].map(({ id }) => id), 'no-webgpu']);
      for (const id of ids) {
        await driver.run((/** @type {string} */ id) => document.getElementById(id)?.scrollIntoView({ block: 'start' }), id);
        await wait(700);
        await driver.shot(join(shots, `${name}-${id}.png`));
      }
      const over = await driver.run(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wide.push(`${over} px at ${name}`);
    }
    assert.deepEqual(wide, [], 'the page is wider than its window');
    return `pictures are in ${shots}`;
  }],
  ['says nothing on the console', async ({ driver }) => {
    const all = [...await driver.run(() => /** @type {any} */ (globalThis).noted), ...await driver.faults()];
    assert.deepEqual(all, []);
    return 'no error, no breach of the policy';
  }],
];
