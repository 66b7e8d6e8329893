// A question to guess at, its possible answers as buttons; once one is chosen, whether it is right and why. Where only a run can tell,
// the answer waits for it.
import { $ } from './dom.js';

/** @typedef {{ right: string | null, why: string }} Answer right: the value of a button; null: nothing here can tell */
/** @type {Map<string, Answer>} */ const known = new Map();
/** @type {Map<string, () => void>} */ const listeners = new Map();

const group = (/** @type {string} */ name) => $(`guess-${name}`);
const buttons = (/** @type {HTMLElement} */ of) => /** @type {HTMLButtonElement[]} */ ([...of.querySelectorAll('[role=radio]')]);
const chosen = (/** @type {HTMLElement} */ of) => buttons(of).find((button) => button.ariaChecked === 'true');

/** Whether the visitor has answered. */
export const guessed = (/** @type {string} */ name) => Boolean(chosen(group(name)));

/**
 * What is right is known now.
 * @param {string} name
 * @param {string | null} right
 * @param {string} why by what the figure shows
 */
export function settle(name, right, why) {
  known.set(name, { right, why });
  judge(group(name));
}

/**
 * `act` is called whenever the visitor has chosen an answer.
 * @param {string} name
 * @param {() => void} act
 */
export const onGuess = (name, act) => listeners.set(name, act);

export function startGuesses() {
  for (const of of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role=radiogroup].guess'))) {
    const all = buttons(of), name = of.id.replace('guess-', ''), { right, why } = of.dataset;
    if (right && why) known.set(name, { right, why });
    all.forEach((button, i) => {
      button.tabIndex = i ? -1 : 0;
      button.addEventListener('click', () => choose(of, button));
      button.addEventListener('keydown', (event) => {
        const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        const next = all[(i + by + all.length) % all.length]; // it is not chosen before the visitor says so: that would give the answer away
        for (const one of all) one.tabIndex = one === next ? 0 : -1;
        next.focus();
      });
    });
  }
}

/**
 * @param {HTMLElement} of
 * @param {HTMLButtonElement} button
 */
function choose(of, button) {
  for (const one of buttons(of)) {
    one.ariaChecked = String(one === button);
    one.tabIndex = one === button ? 0 : -1;
  }
  for (const after of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-after="${of.id}"]`))) after.hidden = false;
  listeners.get(of.id.replace('guess-', ''))?.();
  judge(of);
}

function judge(/** @type {HTMLElement} */ of) {
  const answer = known.get(of.id.replace('guess-', '')), mine = chosen(of), verdict = /** @type {HTMLElement} */ (of.nextElementSibling);
  if (!mine) return;
  const good = answer?.right === mine.value, said = !answer ? of.dataset.wait ?? '' : answer.right === null ? answer.why : `${good ? 'Right.' : 'Not so.'} ${answer.why}`;
  if (verdict.textContent !== said) verdict.textContent = said;
  for (const one of buttons(of)) one.classList.toggle('is-right', answer?.right === one.value);
}
