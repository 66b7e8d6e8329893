// On a narrow page a picture that a run forms out of sight is shown small above the status; pressed, it leads there.
import { watch } from './canvas.js';
import { $, make } from './dom.js';
import { busy } from './runs.js';

const STAYS_MS = 4000; // after the last change
const AFTER_MS = 800; // out of sight: a run that begins scrolls to its picture

const narrow = matchMedia('(max-width: 56rem)');
const small = make('canvas', {}), button = make('button', { type: 'button', id: 'thumbnail', hidden: true, title: 'To the picture' });
/** @type {Set<Element>} */ const inSight = new Set();
/** @type {Map<HTMLCanvasElement, HTMLCanvasElement>} */ const both = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
let since = Infinity; // when the picture that is drawn was first out of sight
/** @type {HTMLCanvasElement | null} */ let shown = null;

/** @param {[canvas: string, alike: string][]} ids of the canvases, each with another that shows the same */
export function startThumbnail(ids) {
  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inSight[isIntersecting ? 'add' : 'delete'](target);
    if (shown && seen(shown)) hide();
  }, { rootMargin: '-100px 0px -64px' }); // the bars above and below
  button.setAttribute('aria-label', 'To the picture that is forming');
  button.append(small);
  button.addEventListener('click', () => { shown?.scrollIntoView({ block: 'center' }); hide(); });
  button.addEventListener('blur', hide); // what has the focus is not taken away
  document.querySelector('.run')?.prepend(button);
  for (const [canvas, alike] of ids.map((pair) => pair.map((id) => $(id, HTMLCanvasElement)))) {
    both.set(canvas, alike);
    for (const one of [canvas, alike]) sight.observe(one);
    watch(canvas, () => show(canvas));
  }
}

const seen = (/** @type {HTMLCanvasElement} */ canvas) => inSight.has(canvas) || inSight.has(/** @type {HTMLCanvasElement} */ (both.get(canvas)));

/** @param {HTMLCanvasElement} canvas that has been drawn on */
function show(canvas) {
  if (!narrow.matches || seen(canvas) || !busy()) { since = Infinity; return; }
  since = Math.min(since, performance.now());
  if (performance.now() - since < AFTER_MS) return;
  shown = canvas;
  Object.assign(small, { width: canvas.width, height: canvas.height });
  small.getContext('2d')?.drawImage(canvas, 0, 0);
  button.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hide, STAYS_MS);
}

function hide() {
  if (document.activeElement === button && shown && !seen(shown)) return;
  button.hidden = true;
  shown = null;
}
