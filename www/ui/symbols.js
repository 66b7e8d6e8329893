// A symbol that is pointed at, has the focus or was tapped is lit wherever it stands on the page: in formulas, those that are written as
// the chains run among them, in texts, beside values and in charts. It is told by how it is written; `data-sym` says it where that
// is not enough.

/** Names by how a symbol is written, its subscript after _ where that tells it from others of its letter. */
const NAMES = {
  'x_t': 'xt', 'x_T': 'xt', 'x_0': 'x0', 'x_t−1': 'xprev', 'x_t′': 'xprev', 'x̂': 'x0hat', 'ε': 'eps', 'ε_θ': 'epstheta', 'z': 'z',
  't': 't', 'T': 'T', 'β': 'beta', 'β̃': 'betatilde', 'α': 'alphat', 'ᾱ': 'alpha', 'σ': 'sigma', 'SNR': 'snr', 'μ': 'mu', 'μ̃': 'mutilde',
  'λ': 'lambda', 'h': 'h', 'η': 'eta', 'v': 'v', 's': 's', 'W': 'guidance', 'w_i': 'weight', 'w_o,c,i': 'w', 'L': 'L', 'L_simple': 'loss', 'D_KL': 'kl',
  'q(': 'q', 'p_θ': 'ptheta', '𝒩': 'gaussian', '𝔼': 'expectation', 'θ': 'theta',
};
/** Letters that mean the same whatever their subscript; of the others only what is listed counts. */
const ALWAYS = new Set(['x̂', 'β', 'β̃', 'α', 'ᾱ', 'σ', 'μ', 'μ̃', 'L', '𝔼', 'h', 'λ']);
/** @type {Record<string, string>} */ const BY_WRITING = Object.fromEntries(Object.entries(NAMES).map(([written, name]) => [written.normalize('NFC'), name]));
const ALWAYS_WRITTEN = new Set([...ALWAYS].map((letter) => letter.normalize('NFC')));
/** @type {Record<string, string>} */ const ACCENTS = { '^': '\u0302', '¯': '\u0304', '~': '\u0303' };
const CANDIDATES = 'msub, msubsup, mover, math mi, math mtext, i, [data-sym], .term, .plot text, .legend span';

/** How something is written, accents on their letters. @param {Element | undefined} element */
function written(element) {
  if (!element) return '';
  const [base, accent] = element.children, text = element.localName === 'mover' ? `${base?.textContent}${ACCENTS[accent?.textContent?.trim() ?? ''] ?? '?'}` : element.textContent ?? '';
  return text.trim().normalize('NFC');
}

/** The name of an element that is a symbol. @param {Element} element @returns {string} empty: none */
export function nameOf(element) {
  const { sym, term } = /** @type {HTMLElement} */ (element).dataset;
  if (sym || term) return sym || term || '';
  const { localName, children } = element;
  if (localName === 'msub' || localName === 'msubsup') return named(written(children[0]), children[1]);
  if (localName === 'mover') return named(written(element));
  if (localName === 'mi' || localName === 'mtext') {
    if (element.closest('munder, munderover')) return ''; // what a sum runs over
    const letter = written(element);
    return named(letter === 'q' && element.nextElementSibling?.textContent === '(' ? 'q(' : letter);
  }
  if (localName === 'i') {
    const inside = element.querySelector('sub'), letter = (element.firstChild?.textContent ?? '').trim().normalize('NFC');
    return named(letter, inside ?? subscript(element) ?? undefined);
  }
  if (element.matches('.plot text, .legend span')) return named(written(element)) || named(written(element).split(' ').at(-1) ?? '');
  return '';
}

/** The subscript that follows a letter of a text. */
const subscript = (/** @type {Element} */ letter) => (letter.nextSibling instanceof HTMLElement && letter.nextSibling.localName === 'sub' ? letter.nextSibling : null);

/**
 * @param {string} letter
 * @param {Element} [sub]
 */
function named(letter, sub) {
  if (!sub) return BY_WRITING[letter] ?? '';
  const below = (sub.textContent ?? '').trim().normalize('NFKC'), which = /** @type {HTMLElement} */ (sub).dataset.v;
  if (letter === 'x' && (which === 't' || /^[1-9]\d*$/.test(below))) return which === 't1' ? 'xprev' : 'xt'; // a timestep in numbers
  return BY_WRITING[`${letter}_${which === 't1' ? 't−1' : below}`] ?? (ALWAYS_WRITTEN.has(letter) ? BY_WRITING[letter] : '');
}

/** The symbol of a formula that an element is a part of: the largest, so that the t of x_t is x_t. @param {Element} element */
function inFormula(element) {
  /** @type {Element | null} */ let found = null;
  for (let up = /** @type {Element | null} */ (element); up && up.localName !== 'math'; up = up.parentElement) if (nameOf(up)) found = up;
  return found;
}

/** The symbol at an element, and what shows it. @param {Element | null} element */
export function nameAt(element) {
  const beside = element?.localName === 'sub' && element.previousElementSibling?.localName === 'i' ? element.previousElementSibling : element;
  let shown = beside?.closest('math') ? inFormula(beside) : null;
  for (let up = beside; up && !shown; up = up.parentElement) if (nameOf(up)) shown = up;
  return { name: shown ? nameOf(shown) : '', shown };
}

/** Lights a symbol, and no other. @param {string} name empty: none */
export function light(name) {
  for (const old of document.querySelectorAll('.lit')) old.classList.remove('lit');
  if (!name) return;
  for (const one of document.querySelectorAll(CANDIDATES)) {
    if (nameOf(one) !== name || (one.closest('math') && inFormula(one) !== one)) continue;
    one.classList.add('lit');
    if (one.localName === 'i') subscript(one)?.classList.add('lit');
  }
}
