// The films that the page saves as other programs decode them, Pillow and ffmpeg: how many frames, how large, how long each, and the
// same pixels by both. It needs a served page, a Python with Pillow, and ffmpeg, and so is no part of `cargo xtask test`:
//     POLLEN_URL=http://127.0.0.1:8080/ PYTHON=python3 [FFMPEG=ffmpeg FFPROBE=ffprobe] node tests/outside/films.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { button, control, generate, settings } from '../browser/support/page.js';

const { POLLEN_URL = 'http://127.0.0.1:8080/', POLLEN_CHROMIUM = '/usr/bin/chromium', PYTHON = 'python3', FFMPEG = 'ffmpeg', FFPROBE = 'ffprobe' } = process.env;
const folder = mkdtempSync(join(tmpdir(), 'pollen-films-'));
const PILLOW = `
import hashlib, json, sys
from PIL import Image, ImageSequence
film = Image.open(sys.argv[1])
frames = [(frame.info["duration"] / 1000, hashlib.md5(frame.convert("RGB").tobytes()).hexdigest()) for frame in ImageSequence.Iterator(film)]
print(json.dumps({"size": film.size, "count": film.n_frames, "seconds": [of for of, _ in frames], "hashes": [of for _, of in frames]}))`;

/** @typedef {{ size: number[], count: number, seconds: number[], hashes: string[] }} Decoded */

const answer = (/** @type {string} */ program, /** @type {string[]} */ ...args) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

/** @returns {Decoded} */
const byPillow = (/** @type {string} */ path) => JSON.parse(answer(PYTHON, '-c', PILLOW, path));

/** @returns {Decoded} */
function byFfmpeg(/** @type {string} */ path) {
  const demuxer = path.endsWith('.gif') ? 'gif' : 'apng';
  const { packets, streams: [{ width, height }] } = JSON.parse(answer(FFPROBE, '-v', 'error', '-f', demuxer, '-show_entries', 'stream=width,height:packet=duration_time', '-of', 'json', path));
  const decoded = answer(FFMPEG, '-v', 'error', '-f', demuxer, '-i', path, '-fps_mode', 'passthrough', '-pix_fmt', 'rgb24', '-f', 'framemd5', '-').split('\n').filter((line) => line && !line.startsWith('#'));
  const hashes = decoded.map((line) => line.split(',').at(-1)?.trim() ?? '');
  return { size: [width, height], count: hashes.length, seconds: packets.map((/** @type {{ duration_time: string }} */ { duration_time: seconds }) => Number(seconds)), hashes };
}

/** What the frames last: the last one two seconds; a GIF counts in hundredths, so that the ends of its frames are what is rounded. */
function lasting(/** @type {number} */ count, /** @type {number} */ speed, /** @type {boolean} */ gif) {
  const ends = Array.from({ length: count + 1 }, (_, i) => (i < count ? i / speed : (count - 1) / speed + 2)).map((end) => (gif ? Math.round(end * 100) / 100 : end));
  return ends.slice(1).map((end, i) => end - ends[i]);
}

/** Frames of the forward film as the page begins: the picture, and the first timesteps at which 59 even parts of log SNR are lost, some of which are the same. */
function ofForward(T = 1000) {
  const alphaBar = [1];
  for (let t = 1; t <= T; t++) alphaBar.push(alphaBar[t - 1] * (1 - (1e-4 + ((0.02 - 1e-4) * (t - 1)) / (T - 1))));
  const snr = alphaBar.map((left) => Math.log(left / (1 - left)));
  const reached = Array.from({ length: 59 }, (_, i) => snr.findIndex((of, t) => t > 0 && of <= snr[1] + ((snr[T] - snr[1]) * i) / 58 + 1e-9));
  return 1 + new Set(reached).size;
}

const browser = await chromium.launch({ executablePath: POLLEN_CHROMIUM });
const page = await browser.newPage();
await page.goto(`${POLLEN_URL}?device=cpu&way=best`);
await page.evaluate(() => window.pollen.ready);
await page.waitForFunction(() => document.documentElement.dataset.started);
await page.evaluate(() => document.querySelectorAll('details.more').forEach((more) => more.setAttribute('open', '')));
await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Seed: 7, Count: 1 });
await generate(page);
await page.waitForFunction(() => !(/** @type {HTMLInputElement} */ (document.getElementById('forward-t')).disabled));

for (const [part, speed, count, edge] of /** @type {const} */ ([['Save', 6, 6, 504], ['Save', 24, 6, 504], ['Film', 12, ofForward(), 512]])) {
  if (part === 'Save') await control(page, 'Speed').selectOption(String(speed));
  for (const kind of ['APNG', 'GIF']) {
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, `${part} as ${kind}`).click()]), path = join(folder, download.suggestedFilename());
    await download.saveAs(path);
    const wanted = lasting(count, speed, kind === 'GIF'), found = { Pillow: byPillow(path), ffmpeg: byFfmpeg(path) };
    for (const [program, { size, count: frames, seconds, hashes }] of Object.entries(found)) {
      assert.deepEqual([size, frames, seconds.length], [[edge, edge], count, count], `${program}, ${part} as ${kind}`);
      for (const [i, of] of seconds.entries()) assert.ok(Math.abs(of - wanted[i]) < 1e-3, `${program}, ${part} as ${kind}, frame ${i}: ${of} s, not ${wanted[i]}`);
      assert.ok(new Set(hashes).size > count / 2, `${program}, ${part} as ${kind}: frames are the same`);
    }
    assert.deepEqual(found.ffmpeg.hashes, found.Pillow.hashes, `${part} as ${kind}`);
    const total = (/** @type {Decoded} */ { seconds }) => seconds.reduce((sum, of) => sum + of, 0).toFixed(2);
    console.log(`${part} as ${kind} at ${speed} a second: ${count} frames of ${edge}×${edge}, ${total(found.Pillow)} s by Pillow, ${total(found.ffmpeg)} s by ffmpeg, the same pixels`);
  }
}
await browser.close();
