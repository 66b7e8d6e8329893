// A film as a video, recorded by the browser itself while it is played.
import { make } from '../ui/dom.js';

const TYPES = ['video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'];
const BITS = 8e6; // a second: noise leaves nothing to save

/** What this browser records, such as video/webm; nothing where it does not. */
export const recorded = () => ('MediaRecorder' in globalThis && 'captureStream' in HTMLCanvasElement.prototype && TYPES.find((type) => MediaRecorder.isTypeSupported(type))) || null;

/**
 * Plays frames on a canvas that nobody sees and records it: it takes as long as the film.
 * @param {{ frames: Uint8ClampedArray[], width: number, height: number, scale: number, delays: [seconds: number, of: number][] }} film
 * @param {(done: number) => void} onFrame hears how many frames are recorded; what it throws ends it
 */
export async function record({ frames, width, height, scale, delays }, onFrame) {
  const type = recorded();
  if (!type) throw new Error('This browser records no video. An APNG or a GIF holds the same film.');
  const small = make('canvas', { width, height }), canvas = make('canvas', { width: width * scale, height: height * scale });
  const [from, to] = [small, canvas].map((one) => /** @type {CanvasRenderingContext2D} */ (one.getContext('2d')));
  to.imageSmoothingEnabled = false;
  const draw = (/** @type {Uint8ClampedArray} */ rgba) => {
    from.putImageData(new ImageData(new Uint8ClampedArray(rgba), width), 0, 0);
    to.drawImage(small, 0, 0, canvas.width, canvas.height);
  };
  draw(frames[0]);
  const recorder = new MediaRecorder(canvas.captureStream(60), { mimeType: type, videoBitsPerSecond: BITS });
  /** @type {Blob[]} */ const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve, reject) => { recorder.onstop = resolve; recorder.onerror = () => reject(new Error('The browser stopped recording the video.')); });
  recorder.start();
  try {
    let due = performance.now();
    for (const [i, rgba] of frames.entries()) {
      draw(rgba);
      onFrame(i + 1);
      due += (1000 * delays[i][0]) / delays[i][1];
      while (performance.now() < due) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(15, due - performance.now())));
        draw(rgba); // a canvas on which nothing is drawn gives no frames
        onFrame(i + 1);
      }
    }
  } finally {
    recorder.stop();
    await ended;
  }
  return { file: new Blob(parts, { type }), ending: type.startsWith('video/mp4') ? 'mp4' : 'webm' };
}
