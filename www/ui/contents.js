// The contents bar marks the section that is being read.
import { $ } from './dom.js';

export function startContents() {
  const links = new Map([...document.querySelectorAll('.contents li a')].map((link) => [link.getAttribute('href')?.slice(1) ?? '', link]));
  const sections = [...links.keys()].map((id) => $(id)), list = /** @type {HTMLElement} */ (document.querySelector('.contents ul'));
  const mark = () => {
    const line = innerHeight / 3;
    const at = sections.findLast((section) => section.getBoundingClientRect().top < line)?.id;
    for (const [id, link] of links) {
      if (id === at && !link.hasAttribute('aria-current')) {
        link.setAttribute('aria-current', 'true');
        const { left, right } = link.getBoundingClientRect(), box = list.getBoundingClientRect();
        if (left < box.left || right > box.right) list.scrollLeft += left - box.left - 20;
      } else if (id !== at) link.removeAttribute('aria-current');
    }
  };
  let asked = false;
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; mark(); });
  };
  addEventListener('scroll', ask, { passive: true });
  ask();
}
