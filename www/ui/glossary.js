// The glossary at the end of the page: every term and symbol that is explained, each with a link to the section where it first stands.
import { make } from './dom.js';
import { spelled, TERMS } from './terms.js';

/** @param {HTMLElement} fold */
export function fill(fold) {
  if (fold.querySelector('dl')) return;
  const list = make('dl', { className: 'glossary' }), sorted = Object.entries(TERMS).sort(([, a], [, b]) => a.name.localeCompare(b.name, 'en'));
  for (const [id, { name, text }] of sorted) {
    const section = document.querySelector(`[data-term="${id}"]`)?.closest('section.chain'), entry = make('div');
    entry.dataset.sym = id;
    const title = make('dt'), meaning = make('dd');
    title.append(...spelled(name));
    meaning.append(...spelled(text), ' ');
    if (section) meaning.append(make('a', { href: `#${section.id}`, textContent: document.querySelector(`.contents a[href="#${section.id}"]`)?.textContent ?? section.id }));
    entry.append(title, meaning);
    list.append(entry);
  }
  fold.append(list);
}
