// The same picture small and large, noised to the same t or to the same SNR: averaged down to the small one's size, the large one
// has k² times its SNR.
import { pollen } from '../../api/pollen.js';
import { pixels, toBytes } from '../../files/picture.js';
import { drawGrid, keepFitted } from '../../ui/canvas.js';
import { $ } from '../../ui/dom.js';
import { guessed, onGuess } from '../../ui/guess.js';
import { figure } from '../../ui/numbers.js';
import { complain } from '../../ui/runs.js';
import { picture } from './picture.js';
import { logSnr } from './schedule.js';

const SMALL = 64, K = 4, LARGE = K * SMALL;

/** @type {import('./folds.js').Start} */
export function start(chain) {
  const pair = $('sizes-pair'), match = $('sizes-match', HTMLInputElement);
  const canvases = [$('sizes-small', HTMLCanvasElement), $('sizes-large', HTMLCanvasElement)];
  canvases.forEach(keepFitted);
  /** @type {{ options: object, large: Float32Array, small: Float32Array } | null} */ let images = null;
  let asked = false, drawing = false;

  /** Draws them as the chain is now; where it goes on meanwhile, once more. */
  async function show() {
    if (!guessed('sizes') || chain.passing) return;
    asked = true;
    if (drawing) return;
    drawing = true;
    try {
      while (asked) {
        asked = false;
        await draw();
      }
    } catch (error) { complain(error); } finally { drawing = false; }
  }

  async function draw() {
    const { options, schedule: { alphaBar }, t } = chain, { channels, seed } = options;
    if (images?.options !== options) {
      const large = pixels(picture().square, LARGE, channels);
      images = { options, large, small: averaged(large) };
    }
    const found = matching(alphaBar, t), matched = match.checked, to = matched ? found.t : t;
    const [small, large] = await Promise.all([
      pollen.jump({ image: images.small, shape: [1, channels, SMALL, SMALL], seed, alphaBar: alphaBar[t] }),
      pollen.jump({ image: images.large, shape: [1, channels, LARGE, LARGE], seed, alphaBar: alphaBar[to] }),
    ]);
    const contrast = alphaBar[to] ? Math.sqrt(alphaBar[t] / alphaBar[to]) : 1, mean = averaged(large.sample).map((value) => contrast * value);
    pair.hidden = false;
    drawGrid(canvases[0], small.rgba, { width: SMALL, height: SMALL });
    drawGrid(canvases[1], toBytes(mean, SMALL, channels), { width: SMALL, height: SMALL });
    say(t, to, contrast);
    const snr = (/** @type {number} */ at) => alphaBar[at] / (1 - alphaBar[at]);
    $('sizes-snr-small').textContent = figure(snr(t));
    $('sizes-snr-large').textContent = figure(K * K * snr(to));
    const apart = logSnr(alphaBar[to]) + 2 * Math.log10(K) - logSnr(alphaBar[t]);
    $('sizes-apart').textContent = t ? apart.toFixed(3).replace(/^-/, '−').replace(/^\d/, '+$&') : '–';
    $('sizes-said').textContent = !t ? 'No noise yet: move t.' : !matched ? 'The large picture keeps more at the same t: the noise averages out, the motif does not.'
      : !found.reached ? `The schedule ends too soon: its lowest SNR, at t = ${to}, is still more than a ${K * K}th of the small picture’s at t = ${t}. That is why a large picture needs another one.`
        : `At t′ = ${to} a pixel of the large picture has a ${K * K}th of that SNR, ${figure(snr(to))}; averaged, it has the small one’s. A schedule under which ${LARGE} × ${LARGE} pixels look so at every t has ln SNR, the natural logarithm, moved by −2 ln k = −2 ln ${K} = ${figure(-2 * Math.log(K))}.`;
  }

  /**
   * @param {number} t
   * @param {number} to the large one's
   * @param {number} contrast
   */
  function say(t, to, contrast) {
    const texts = [`${SMALL} × ${SMALL} pixels at t = ${t}`, `${LARGE} × ${LARGE} pixels at t${to === t ? '' : '′'} = ${to}, each ${K} × ${K} averaged${to === t ? '' : `, with ${figure(contrast)} times the contrast: as much as beside it`}`];
    texts.forEach((text, i) => {
      canvases[i].setAttribute('aria-label', text);
      /** @type {HTMLElement} */ (canvases[i].closest('figure')?.querySelector('figcaption')).textContent = text;
    });
  }

  match.addEventListener('change', show);
  onGuess('sizes', show);
  return { show, move: show };
}

/**
 * The means of K × K pixels.
 * @param {Float32Array} image planes of LARGE × LARGE
 */
function averaged(image) {
  const small = new Float32Array(image.length / (K * K));
  image.forEach((value, i) => {
    const row = Math.floor(i / LARGE), column = i % LARGE; // the planes lie below each other, each of a whole number of rows of K
    small[Math.floor(row / K) * SMALL + Math.floor(column / K)] += value / (K * K);
  });
  return small;
}

/**
 * The timestep whose SNR is nearest to a K²-th of that of `t`, in logs, and whether the schedule goes as far.
 * @param {Float64Array} alphaBar
 * @param {number} t
 */
function matching(alphaBar, t) {
  const wanted = logSnr(alphaBar[t]) - 2 * Math.log10(K), after = alphaBar.findIndex((left) => logSnr(left) <= wanted);
  if (after < 0) return { t: alphaBar.length - 1, reached: false };
  const nearer = after > 0 && logSnr(alphaBar[after - 1]) - wanted < wanted - logSnr(alphaBar[after]) ? after - 1 : after;
  return { t: nearer, reached: true };
}
