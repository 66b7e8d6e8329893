// The page as a visitor has it: by accessible names alone.

/** @import { Locator, Page } from '@playwright/test' */

const RUN_MS = 180_000; // a software GPU on two cores takes its time

export const button = (/** @type {Page} */ page, /** @type {string} */ name) => page.getByRole('button', { name, exact: true });
export const control = (/** @type {Page} */ page, /** @type {string} */ name) => page.getByLabel(name, { exact: true });
export const status = (/** @type {Page} */ page) => page.getByRole('status');
export const alert = (/** @type {Page} */ page) => page.getByRole('alert');
/** The canvas of that name. */
export const canvas = (/** @type {Page} */ page, /** @type {string | RegExp} */ name) => page.getByRole('img', { name });

/**
 * Resolves once the page has said that it is ready; rejects if it says that something is wrong.
 * @param {Page} page
 */
export async function ready(page) {
  await page.evaluate(() => window.pollen.ready);
  await page.waitForFunction(() => document.documentElement.dataset.started); // every section can be used
}

/**
 * Does `act`, which starts a run, and waits for how it ends: { done } with the sentence of the status that begins with
 * "Done", or { wrong } with the text of the alert.
 * @param {Page} page
 * @param {() => Promise<unknown>} act
 * @returns {Promise<{ done?: string, wrong?: string }>}
 */
export async function outcome(page, act, ms = RUN_MS) {
  const [said, wrong] = await Promise.all([element(status(page)), element(alert(page))]);
  const ended = page.evaluate(([status, alert, ms]) => new Promise((resolve, reject) => {
    const text = (/** @type {HTMLElement} */ element) => element.innerText.trim();
    const timer = setTimeout(() => reject(new Error(`after ${ms} ms the status still says: ${text(status)}`)), ms);
    const observer = new MutationObserver((changes) => {
      const changed = (/** @type {HTMLElement} */ element) => changes.some(({ target }) => element.contains(target));
      const end = changed(alert) && text(alert) ? { wrong: text(alert) }
        : changed(status) && text(status).startsWith('Done') ? { done: text(status) } : null;
      if (!end) return;
      clearTimeout(timer);
      observer.disconnect();
      resolve(end);
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  }), /** @type {const} */ ([said, wrong, ms]));
  ended.catch(() => {}); // awaited below, unless `act` fails first
  await act();
  return ended;
}

/** @returns {Promise<import('@playwright/test').ElementHandle<HTMLElement>>} */
const element = async (/** @type {Locator} */ locator) => /** @type {any} */ (await locator.elementHandle());

/**
 * Does `act` and waits for the run to end well; its closing sentence.
 * @param {Page} page
 * @param {() => Promise<unknown>} act
 * @param {number} [ms]
 * @returns {Promise<string>}
 */
export async function done(page, act, ms) {
  const end = await outcome(page, act, ms);
  if (end.wrong) throw new Error(`the page says: ${end.wrong}`);
  return end.done ?? '';
}

/**
 * Does `act` and waits for the page to object; what it says.
 * @param {Page} page
 * @param {() => Promise<unknown>} act
 * @param {number} [ms]
 * @returns {Promise<string>}
 */
export async function objection(page, act, ms) {
  const end = await outcome(page, act, ms);
  if (end.done) throw new Error(`no objection; the page says: ${end.done}`);
  return end.wrong ?? '';
}

/**
 * Puts values into the controls of the reverse chain: { Class: '3', Sampler: 'DDIM', Steps: 20, Seed: 0, Count: 1 }.
 * @param {Page} page
 * @param {Record<string, string | number>} values
 */
export async function settings(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = control(page, name);
    if (await field.evaluate((element) => element.tagName === 'SELECT')) await field.selectOption({ label: String(value) });
    else await field.fill(String(value));
  }
}

export const diffuse = (/** @type {Page} */ page) => done(page, () => button(page, 'Diffuse').click());
export const generate = (/** @type {Page} */ page) => done(page, () => button(page, 'Generate').click());

/**
 * Chooses a file as a visitor does.
 * @param {Page} page
 * @param {string} name
 * @param {Buffer} buffer
 */
export async function upload(page, name, buffer, mimeType = '') {
  await control(page, 'Upload an image').setInputFiles({ name, mimeType, buffer });
}

/**
 * Resolves once a run has done a step.
 * @param {Page} page
 */
export async function stepped(page) {
  const bar = await element(page.locator('[role=progressbar]'));
  await page.waitForFunction((bar) => /step/.test(bar.getAttribute('aria-valuetext') ?? ''), bar, { timeout: RUN_MS });
}

/**
 * The RGBA bytes of a canvas, and its size.
 * @param {Locator} locator
 */
export async function pixels(locator) {
  const { width, height, data } = await locator.evaluate((/** @type {HTMLCanvasElement} */ canvas) => {
    const { width, height } = canvas, data = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    return { width, height, data: [...data] };
  });
  return { width, height, data, at: (/** @type {number} */ x, /** @type {number} */ y) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 4) };
}

/**
 * Keeps every status sentence and every value of the progress bar from now on; returns a function that gives them.
 * @param {Page} page
 */
export async function listen(page) {
  const handles = await Promise.all([element(status(page)), element(page.locator('[role=progressbar]'))]);
  const record = await page.evaluateHandle(([status, bar]) => {
    /** @type {{ sentences: string[], progress: number[] }} */ const record = { sentences: [], progress: [] };
    new MutationObserver(() => {
      if (record.sentences.at(-1) !== status.innerText.trim()) record.sentences.push(status.innerText.trim());
      const value = Number(bar.getAttribute('aria-valuenow'));
      if (bar.checkVisibility() && record.progress.at(-1) !== value) record.progress.push(value);
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    return record;
  }, handles);
  return () => record.jsonValue();
}
