// Firefox (over WebDriver BiDi) and Chromium by puppeteer-core, which browsers.mjs installs under target/.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** @import { Driver } from './browsers.mjs' */

/**
 * @param {any} puppeteer
 * @param {'firefox' | 'chrome'} browser
 * @param {string} executablePath
 * @param {string} folder for its files
 * @param {boolean} dark
 * @returns {Promise<Driver>}
 */
export async function puppeteered(puppeteer, browser, executablePath, folder, dark) {
  const downloads = join(folder, 'downloads');
  await mkdir(downloads, { recursive: true });
  const opened = await puppeteer.launch({
    browser, executablePath, headless: true, defaultViewport: null, protocolTimeout: 300_000,
    args: browser === 'chrome' ? ['--no-sandbox', '--window-size=1440,900', '--disable-background-networking'] : ['--width=1440', '--height=900'],
    extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1, 'browser.download.dir': downloads, 'browser.download.folderList': 2, 'browser.download.useDownloadDir': true, 'browser.download.alwaysOpenPanel': false, 'browser.download.always_ask_before_handling_new_types': false, 'browser.helperApps.neverAsk.saveToDisk': 'image/png,image/gif' },
  });
  const page = await opened.newPage(); // Firefox gives the one that it opens by itself no focus, nor a new one before it is brought to the front
  if (browser === 'chrome') {
    await (await opened.target().createCDPSession()).send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }]);
  }
  /** @type {string[]} */ const faults = [];
  page.on('pageerror', (/** @type {Error} */ error) => faults.push(`uncaught: ${error.message}`));
  page.on('console', (/** @type {any} */ message) => { if (message.type() === 'error') faults.push(`console: ${message.text()}`); });
  /** @param {string} id */
  const one = async (id) => {
    const handle = await page.$(`#${id}`);
    if (!handle) throw new Error(`the page has no #${id}`);
    return handle;
  };
  return {
    version: await opened.version(), downloads,
    open: async (url) => {
      await page.goto(url);
      await page.bringToFront();
    },
    run: (what, ...args) => page.evaluate(what, ...args),
    upload: async (id, path) => { await (await one(id)).uploadFile(path); },
    click: async (id) => { await (await one(id)).click(); },
    key: (key) => page.keyboard.press(key),
    resize: async (width, height) => { await page.setViewport({ width, height }); },
    shot: async (path) => { await page.screenshot({ path }); },
    faults: async () => faults,
    close: () => opened.close(),
  };
}
