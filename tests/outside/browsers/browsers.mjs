// The page without WebGPU in Chromium, Firefox and WebKit: the same acts in each that is here, and the same bytes of all. It serves dist/
// (`cargo xtask build` makes it) and installs what drives the browsers, of the lock file beside it, in target/browsers/:
//     node tests/outside/browsers/browsers.mjs [chromium firefox webkit] [--dark]
// POLLEN_CHROMIUM, POLLEN_FIREFOX and POLLEN_WEBKIT name another program. It ends with 1 where an act fails.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { acts } from './acts.mjs';
import { puppeteered } from './puppeteer.mjs';
import { serve } from './serve.mjs';
import { webkit } from './webkit.mjs';

/**
 * @typedef {object} Driver a browser with the page in it
 * @property {string} version
 * @property {string} downloads the folder of what it saves
 * @property {(url: string) => Promise<void>} open
 * @property {(what: (...args: any[]) => any, ...args: any[]) => Promise<any>} run a function in the page
 * @property {(id: string, path: string) => Promise<void>} upload
 * @property {(id: string) => Promise<void>} click
 * @property {(key: any) => Promise<void>} key
 * @property {(width: number, height: number) => Promise<void>} resize
 * @property {(path: string) => Promise<void>} shot a PNG of the window
 * @property {() => Promise<string[]>} faults errors in the console
 * @property {() => Promise<void>} close
 *
 * @typedef {{ driver: Driver, url: string, folder: string, made: Record<string, string> }} Run
 */

const root = join(import.meta.dirname, '../../..'), folder = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'browsers');
const asked = process.argv.slice(2), dark = asked.includes('--dark'), names = asked.filter((one) => !one.startsWith('--'));

/** The first of these programs that is here. */
function program(/** @type {(string | undefined)[]} */ ...candidates) {
  const paths = candidates.filter((one) => one !== undefined).flatMap((one) => (one.includes('/') ? [one] : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, one))));
  return paths.find((path) => { try { accessSync(path, constants.X_OK); return true; } catch { return false; } });
}

/** puppeteer-core, of the lock file. */
function puppeteer() {
  mkdirSync(folder, { recursive: true });
  let fresh = existsSync(join(folder, 'node_modules/puppeteer-core'));
  for (const name of ['package.json', 'package-lock.json']) {
    const [from, to] = [join(import.meta.dirname, name), join(folder, name)];
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    copyFileSync(from, to);
    fresh = false;
  }
  if (!fresh) execFileSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], { cwd: folder, stdio: 'inherit' });
  return createRequire(join(folder, 'package.json'))('puppeteer-core').default;
}

const chromium = program(process.env.POLLEN_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome');
const firefox = program(process.env.POLLEN_FIREFOX, 'firefox-esr', 'firefox'), webDriver = program(process.env.POLLEN_WEBKIT, 'WebKitWebDriver');
/** @type {Record<string, { missing?: string, start: (folder: string) => Promise<Driver> }>} */
const browsers = {
  chromium: { missing: chromium ? undefined : 'chromium', start: (folder) => puppeteered(puppeteer(), 'chrome', chromium ?? '', folder, dark) },
  firefox: { missing: firefox ? undefined : 'firefox-esr', start: (folder) => puppeteered(puppeteer(), 'firefox', firefox ?? '', folder, dark) },
  webkit: { missing: [webDriver ? '' : 'webkit2gtk-driver', program('Xvfb') ? '' : 'xvfb'].filter(Boolean).join(' '), start: (folder) => webkit(webDriver ?? '', folder, dark) },
};
for (const name of names) if (!browsers[name]) throw new Error(`“${name}” is none of ${Object.keys(browsers).join(', ')}`);
if (!existsSync(join(root, 'dist/index.html'))) throw new Error('dist/ has no page; `cargo xtask build` makes it');

const site = await serve(join(root, 'dist'));
/** @type {Record<string, Record<string, string>>} */ const made = {};
let failed = 0, ran = 0;
for (const [name, { missing, start }] of Object.entries(browsers)) {
  if (names.length && !names.includes(name)) continue;
  if (missing) {
    console.log(`${name}: not here. On Debian: apt-get install ${missing}`);
    if (names.length) failed++;
    continue;
  }
  const own = join(folder, name);
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  /** @type {Driver | undefined} */ let driver;
  try {
    driver = await start(own);
    ran++;
    console.log(`${name}: ${driver.version}${dark ? ', dark' : ''}`);
    made[name] = {};
    for (const [act, does] of acts) {
      try {
        console.log(`  ${act}: ${await does({ driver, url: site.url, folder: own, made: made[name] })}`);
      } catch (error) {
        failed++;
        console.log(`  ${act}: FAILED. ${/** @type {Error} */ (error).message}`);
      }
    }
  } catch (error) {
    failed++;
    console.log(`${name} does not start: ${/** @type {Error} */ (error).message}`);
  } finally {
    await driver?.close();
  }
}
site.close();
const [[first, expected] = ['', {}], ...others] = Object.entries(made);
for (const [name, own] of others) {
  const apart = [...new Set([...Object.keys(expected), ...Object.keys(own)])].filter((what) => own[what] !== expected[what]);
  failed += apart.length;
  for (const what of apart) console.log(`${name}: FAILED. ${what} is not ${first}’s: ${own[what]}, ${first}: ${expected[what]}`);
  if (!apart.length) console.log(`${name}: ${Object.keys(own).join(', ')}: the same as ${first}’s, to the bit`);
}
if (!ran) console.log('no browser is here');
console.log(failed ? `${failed} failed` : `${ran} browsers, nothing failed`);
process.exit(failed || !ran ? 1 : 0);
