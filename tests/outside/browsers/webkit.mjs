// WebKit by WebKitWebDriver and its MiniBrowser, in an X server without a screen, whose picture is read from its memory.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { png } from '../../browser/support/images.js';

/** @import { Driver } from './browsers.mjs' */

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'; // a reference's key, by the standard
/** @type {Record<string, string>} */ const KEYS = { Tab: '\uE004', Enter: '\uE007', Escape: '\uE00C', ArrowRight: '\uE014', End: '\uE010', Home: '\uE011' };
const SCREEN = [1440, 1000];

/** @returns {Promise<number>} */
const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close(() => resolve(port));
  });
});

/**
 * What an X server shows, of its XWD file (X11/XWDFile.h): 32-bit integers, most significant byte first, and then the pixels, BGRX.
 * @param {string} file
 */
function screen(file) {
  const bytes = readFileSync(file), word = (/** @type {number} */ i) => bytes.readUInt32BE(4 * i);
  const [width, height, line, start] = [word(4), word(5), word(12), word(0) + 12 * word(19)];
  return { width, height, at: (/** @type {number} */ x, /** @type {number} */ y) => { const i = start + y * line + 4 * x; return [bytes[i + 2], bytes[i + 1], bytes[i], 255]; } };
}

/**
 * @param {string} webDriver
 * @param {string} folder for its files
 * @param {boolean} dark
 * @returns {Promise<Driver>}
 */
export async function webkit(webDriver, folder, dark) {
  const home = join(folder, 'home'), downloads = join(home, 'Downloads');
  for (const one of [downloads, join(home, '.config/gtk-3.0')]) mkdirSync(one, { recursive: true });
  // MiniBrowser's own buttons would keep its window wider than a phone.
  writeFileSync(join(home, '.config/gtk-3.0/gtk.css'), 'button, entry { min-width: 0; padding: 0; margin: 0; border: 0; }\n');
  writeFileSync(join(home, '.config/user-dirs.dirs'), 'XDG_DOWNLOAD_DIR="$HOME/Downloads"\n');
  const xvfb = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', `${SCREEN.join('x')}x24`, '-fbdir', folder, '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const display = await new Promise((resolve, reject) => {
    xvfb.on('error', reject).on('exit', () => reject(new Error('Xvfb ended')));
    createInterface({ input: /** @type {import('node:stream').Readable} */ (xvfb.stdio[3]) }).once('line', resolve);
  });
  const port = await freePort();
  const env = { ...process.env, DISPLAY: `:${display}`, HOME: home, XDG_CONFIG_HOME: join(home, '.config'), XDG_DATA_HOME: join(home, '.local'), XDG_CACHE_HOME: join(home, '.cache'), GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1', GTK_THEME: dark ? 'Adwaita:dark' : 'Adwaita', LIBGL_ALWAYS_SOFTWARE: '1' };
  const driver = spawn(webDriver, [`--port=${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {string[]} */ const log = [];
  for (const stream of [driver.stdout, driver.stderr]) createInterface({ input: stream }).on('line', (line) => { log.push(line); });

  let session = '';
  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   */
  async function ask(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${port}/session${session}${path}`, { method, body: method === 'POST' ? JSON.stringify(body ?? {}) : undefined });
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`WebKitWebDriver, ${path}: ${value.error}: ${value.message}`);
    return value;
  }
  const element = async (/** @type {string} */ id) => (await ask('POST', '/element', { using: 'css selector', value: `#${id}` }))[ELEMENT];
  let [across, down] = SCREEN; // the window's size on the screen
  const resize = async (/** @type {number} */ width, /** @type {number} */ height) => {
    await ask('POST', '/window/rect', { x: 0, y: 0, width, height });
    [across, down] = [width, height];
  };

  for (let tries = 0; ; tries++) {
    try { await fetch(`http://127.0.0.1:${port}/status`); break; } catch (error) { if (tries > 50) throw error; }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const args = ['--automation', '--enable-write-console-messages-to-stdout=true'];
  const begun = await ask('POST', '', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { args } } } });
  session = `/${begun.sessionId}`;
  await ask('POST', '/timeouts', { script: 300_000, pageLoad: 120_000 });
  return {
    version: `${begun.capabilities.browserName} ${begun.capabilities.browserVersion}`, downloads, resize,
    open: async (url) => { await ask('POST', '/url', { url }); },
    run: async (what, ...given) => {
      const script = `const done = arguments[arguments.length - 1]; (async () => (${what})(...arguments[0]))().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const { value, error } = await ask('POST', '/execute/async', { script, args: [given] });
      if (error) throw new Error(error);
      return value;
    },
    upload: async (id, path) => { await ask('POST', `/element/${await element(id)}/value`, { text: path }); },
    click: async (id) => { await ask('POST', `/element/${await element(id)}/click`); },
    key: async (key) => {
      const value = KEYS[key];
      await ask('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions: [{ type: 'keyDown', value }, { type: 'keyUp', value }] }] });
    },
    shot: async (path) => {
      const { width, height, at } = screen(join(folder, 'Xvfb_screen0'));
      writeFileSync(path, png(Math.min(width, across), Math.min(height, down), at));
    },
    faults: async () => log.filter((line) => /CONSOLE.* ERROR/.test(line)),
    close: async () => {
      await ask('DELETE', '').catch(() => {});
      driver.kill();
      xvfb.kill();
    },
  };
}
