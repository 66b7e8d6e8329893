// What a term or a symbol means, in a box beside it: while it is pointed at or has the focus; once it was pressed, until it is pressed
// again, something else is, or Escape.
import { make, named } from './dom.js';

const EDGE = 8; // pixels to the edges of the window
const WAIT_MS = 150, LEAVE_MS = 250; // a pointer that only passes opens nothing, and one on its way to the box does not close it
const box = make('div', { id: 'meaning', popover: 'manual', role: 'tooltip' });
/** @type {HTMLElement | null} */ let anchor = null;
let pinned = false, timer = 0;

/**
 * @param {string} how the type of the event
 * @param {HTMLElement} beside
 * @param {string} term of the table, or a symbol's name
 */
export function explain(how, beside, term) {
  clearTimeout(timer);
  if (how === 'click' && beside === anchor && pinned) { hide(); return; }
  if (how === 'click') pinned = true;
  if (beside === anchor) return;
  if (how === 'pointerover') timer = window.setTimeout(() => { if (beside.matches(':hover')) show(beside, term, false); }, WAIT_MS);
  else show(beside, term, how === 'click');
}

/**
 * @param {HTMLElement} beside
 * @param {string} term
 * @param {boolean} pin
 */
async function show(beside, term, pin) {
  hide();
  anchor = beside;
  pinned = pin;
  /** @type {(string | Node)[][]} */ let [name, text] = [[], []];
  try {
    const { TERMS, spelled } = await import('./terms.js');
    if (TERMS[term]) [name, text] = [TERMS[term].name, TERMS[term].text].map(spelled);
  } catch (error) {
    text = [`The explanations could not be fetched: ${named(error).message}. Check the connection and reload the page.`];
  }
  if (anchor !== beside || !text.length) return; // it has been left meanwhile; not every symbol has a text
  const title = make('b');
  title.append(...name);
  box.replaceChildren(title, ' ', ...text);
  (document.querySelector('main') ?? document.body).append(box);
  box.showPopover();
  beside.setAttribute('aria-describedby', box.id);
  place();
}

function hide() {
  clearTimeout(timer);
  anchor?.removeAttribute('aria-describedby');
  anchor = null;
  if (box.isConnected) box.hidePopover();
}

/** Below its term, above it where there is no room, within the window. */
function place() {
  if (!anchor || !box.matches(':popover-open')) return;
  const at = anchor.getBoundingClientRect(), { width, height } = box.getBoundingClientRect();
  if (at.bottom < 0 || at.top > innerHeight) { hide(); return; }
  const below = at.bottom + 4, fits = below + height + EDGE <= innerHeight || at.top < height + EDGE;
  box.style.left = `${Math.max(EDGE, Math.min(at.left, document.documentElement.clientWidth - width - EDGE))}px`;
  box.style.top = `${Math.max(EDGE, fits ? Math.min(below, innerHeight - height - EDGE) : at.top - height - 4)}px`;
}

const inside = (/** @type {EventTarget | null} */ target) => target instanceof Node && Boolean(box.contains(target) || anchor?.contains(target));

document.addEventListener('pointerover', ({ target }) => {
  if (!anchor || pinned || document.activeElement === anchor) return;
  clearTimeout(timer);
  if (!inside(target)) timer = window.setTimeout(hide, LEAVE_MS);
});
document.addEventListener('pointerdown', ({ target }) => { if (anchor && !inside(target)) hide(); });
document.addEventListener('focusout', ({ target }) => { if (target === anchor) hide(); });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !anchor) return;
  event.stopPropagation(); // it cancels no run
  hide();
}, true);
for (const type of ['scroll', 'resize']) addEventListener(type, place, { passive: true, capture: true });
