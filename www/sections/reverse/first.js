// What the network's first prediction of a run's pictures looks like, beside what they became.
import { settle } from '../../ui/guess.js';

/** @import { Run } from './film.js' */

const LIKE = 0.75; // correlation from which on it is nearly the finished picture

/** @param {Run} run a whole one */
export function judgeFirst({ frames, model }) {
  const first = frames.get(0)?.x0, last = frames.get(frames.last)?.xt;
  if (!first || !last) return;
  const alike = correlation(first, last), done = alike >= LIKE, said = `correlated ${alike.toFixed(2)} with the finished picture, where 1 is the same`;
  settle('first', done ? 'done' : 'blur', done
    ? `It is ${said}.${model.of ? ' Fast was taught to name a finished picture at once. Choose Best and generate: there it is a blur.' : ''} Go to frame 0 of the film.`
    : `It is a blur, ${said}: so much noise could hide any picture, and the network’s best guess is a mean of them. Go to frame 0 of the film.`);
}

/** Of the colours of two pictures; of pixels that are transparent nothing is known. */
function correlation(/** @type {Uint8ClampedArray} */ a, /** @type {Uint8ClampedArray} */ b) {
  let [n, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    if (i % 4 === 3) continue;
    n++; x += a[i]; y += b[i]; xx += a[i] ** 2; yy += b[i] ** 2; xy += a[i] * b[i];
  }
  return (n * xy - x * y) / Math.sqrt((n * xx - x * x) * (n * yy - y * y) || 1);
}
