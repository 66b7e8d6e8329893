// The recorded examples of what the parts make. Each is a PNG that the page has saved, with its settings, and is made here by them.
import { complain } from '../../ui/runs.js';

export function startExamples() {
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-example]'))) {
    button.addEventListener('click', () => make(`${button.dataset.example}.png`).catch(complain));
  }
}

/** @param {string} name */
async function make(name) {
  const [answer, { restore }] = await Promise.all([fetch(`examples/${name}`), import('../restore.js')]);
  if (!answer.ok) throw new Error(`The example, examples/${name}, could not be fetched: the server answered ${answer.status}. Try again later.`);
  await restore(new File([await answer.blob()], name));
}
