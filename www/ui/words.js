// Terms and symbols that say what they are, and folds that are filled when they are opened: one listener of each kind for the whole
// page, and what it needs is fetched when it is first used.

/** What may be, or hold, a symbol. */
const SYMBOLIC = 'math, i, [data-sym], .term, .plot text, .legend span';
const symbols = () => import('./symbols.js'), meaning = () => import('./meaning.js');
/** @type {Element | null} */ let at = null; // what was last pointed at, or has the focus
let lit = false, seen = ''; // where the pointer was

export function startWords() {
  for (const type of ['pointerover', 'focusin', 'focusout', 'click']) document.addEventListener(type, (event) => hear(event));
  document.addEventListener('toggle', ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.open) return;
    if (target.matches('.deeper')) import('./deeper.js').then(({ fill }) => fill(target));
    else if (target.id === 'glossary') import('./glossary.js').then(({ fill }) => fill(target));
  }, true); // it does not bubble
}

/** @param {Event} event */
async function hear(event) {
  if (event.type === 'pointerover') {
    const { screenX, screenY } = /** @type {PointerEvent} */ (event), place = `${screenX} ${screenY}`;
    if (place === seen) return; // the page moved under it
    seen = place;
  }
  const { type } = event, next = type === 'focusout' ? /** @type {FocusEvent} */ (event).relatedTarget : event.target;
  at = next instanceof Element ? next : null;
  if (!at?.closest(SYMBOLIC)) at = document.activeElement; // what has the focus stays lit while nothing else is pointed at
  const mouse = /** @type {PointerEvent} */ (event).pointerType !== 'touch' || type === 'click'; // a touch lights and says when it is a tap
  const term = /** @type {HTMLElement | null} */ (next instanceof Element ? next.closest('.term') : null), symbol = at?.closest(SYMBOLIC);
  if (term && mouse && type !== 'focusout') meaning().then(({ explain }) => explain(type, term, term.dataset.term ?? ''));
  if (!symbol && !lit) return;
  lit = Boolean(symbol);
  const { light, nameAt } = await symbols(), { name, shown } = nameAt(at);
  light(name);
  if (type === 'click' && !term && shown?.closest('math')) meaning().then(({ explain }) => explain(type, /** @type {HTMLElement} */ (shown), name));
}
