// A film as a video, which is recorded while it plays.
import assert from 'node:assert/strict';
import { saved } from './support/files.js';
import { share, test } from './support/harness.js';
import { canvas, control, generate, pixels, settings, status } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

test('a video plays, as long as its film, from the noise to the end', async () => {
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 5, Count: 1 });
  await generate(page);
  await control(page, 'Speed').selectOption('24');
  const video = await saved(page, 'Save as WebM');
  await status(page).filter({ hasText: `Done: recorded ${video.name}.` }).waitFor();
  assert.equal(video.bytes.readUInt32BE(0), 0x1a45dfa3);
  // A page of its own plays it: this one's policy lets no media play.
  const blank = await page.context().newPage(), shown = await blank.evaluate(async (bytes) => {
    const video = document.createElement('video'), heard = (/** @type {string} */ name) => new Promise((resolve, reject) => { video.addEventListener(name, resolve, { once: true }); video.onerror = () => reject(new Error(video.error?.message)); });
    video.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: 'video/webm' }));
    await heard('loadeddata');
    const context = /** @type {CanvasRenderingContext2D} */ (document.createElement('canvas').getContext('2d', { willReadFrequently: true })), size = [video.videoWidth, video.videoHeight];
    Object.assign(context.canvas, { width: size[0], height: size[1] });
    const picture = () => { context.drawImage(video, 0, 0); return Array.from({ length: 784 }, (_, i) => context.getImageData(18 * (i % 28) + 9, 18 * Math.floor(i / 28) + 9, 1, 1).data[0]); };
    // On busy cores the frame that was sought is there a moment after the event that says so; until then the one before is.
    const at = async (/** @type {number} */ time) => {
      const before = String(picture());
      video.currentTime = time;
      await heard('seeked');
      for (let i = 0; i < 50 && String(picture()) === before; i++) await new Promise((resolve) => setTimeout(resolve, 100));
      return picture();
    };
    const last = await at(1e6), seconds = video.currentTime; // a recording does not say how long it is: beyond its end it is at its end
    return { size, seconds, last, first: await at(0) };
  }, [...video.bytes]);
  await blank.close();
  assert.deepEqual(shown.size, [504, 504]);
  assert.ok(Math.abs(shown.seconds - (5 / 24 + 2)) < 0.4, `${shown.seconds} s`);
  const made = async () => (await pixels(canvas(page, 'The samples x t'))).data.filter((_, i) => i % 4 === 0), apart = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
  const end = await made();
  await control(page, 'Frame').fill('0');
  const noise = await made();
  assert.ok(apart(shown.last, end) < 8 && apart(shown.first, noise) < 8 && apart(noise, end) > 40, `${apart(shown.last, end)}, ${apart(shown.first, noise)} of 255`);
});
