// On a narrow page a picture that forms out of sight is shown small above the status; pressed, it leads there.
import { watch } from './canvas.js';
import { $, make } from './dom.js';

const STAYS_MS = 4000; // after the last change

const narrow = matchMedia('(max-width: 56rem)');
const small = make('canvas', {}), button = make('button', { type: 'button', id: 'thumbnail', hidden: true, title: 'To the picture' });
/** @type {Set<Element>} */ const inSight = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */ let timer;
/** @type {HTMLCanvasElement | null} */ let shown = null;

/** @param {string[]} ids of the canvases */
export function startThumbnail(ids) {
  const canvases = ids.map((id) => $(id, HTMLCanvasElement)), sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inSight[isIntersecting ? 'add' : 'delete'](target);
    if (shown && inSight.has(shown)) hide();
  }, { rootMargin: '-100px 0px -64px' }); // the bars above and below
  button.setAttribute('aria-label', 'To the picture that is forming');
  button.append(small);
  button.addEventListener('click', () => { shown?.scrollIntoView({ block: 'center' }); hide(); });
  document.querySelector('.run')?.prepend(button);
  for (const canvas of canvases) {
    sight.observe(canvas);
    watch(canvas, () => show(canvas));
  }
}

/** @param {HTMLCanvasElement} canvas that has been drawn on */
function show(canvas) {
  if (!narrow.matches || inSight.has(canvas)) return;
  shown = canvas;
  Object.assign(small, { width: canvas.width, height: canvas.height });
  small.getContext('2d')?.drawImage(canvas, 0, 0);
  button.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(hide, STAYS_MS);
}

function hide() {
  if (document.activeElement === button && shown && !inSight.has(shown)) return;
  button.hidden = true;
  shown = null;
}
