// "Go deeper" at the end of a section: its text is a file of its own, fetched when the fold is first opened.
import { make, named } from './dom.js';
import { frameFormulas } from './formulas.js';

/** @type {WeakSet<Element>} */ const filling = new WeakSet();

/** @param {HTMLElement} fold */
export async function fill(fold) {
  if (filling.has(fold)) return;
  filling.add(fold);
  const box = make('div', { className: 'formula', ariaLive: 'polite' });
  fold.querySelector(':scope > div')?.remove();
  fold.append(box);
  try {
    const answer = await fetch(`deeper/${fold.dataset.deeper}.html`);
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    box.innerHTML = await answer.text();
    frameFormulas(box);
  } catch (error) {
    filling.delete(fold);
    const again = make('button', { type: 'button', textContent: 'Try again' });
    again.addEventListener('click', () => fill(fold));
    box.append(make('p', { textContent: `This text could not be fetched: ${named(error).message}. Check the connection.` }), again);
  }
}
