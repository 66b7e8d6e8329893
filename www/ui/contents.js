// The contents bar marks the section that is being read, and shows where it goes on beyond its edge.
import { $ } from './dom.js';

const FADE = 40; // pixels of an edge

export function startContents() {
  const links = new Map([...document.querySelectorAll('.contents li a')].map((link) => [link.getAttribute('href')?.slice(1) ?? '', link]));
  const sections = [...links.keys()].map((id) => $(id)), list = /** @type {HTMLElement} */ (document.querySelector('.contents ul'));
  const mark = () => {
    const line = innerHeight / 3;
    const at = sections.findLast((section) => !section.hidden && section.getBoundingClientRect().top < line)?.id;
    for (const [id, link] of links) {
      if (id === at && !link.hasAttribute('aria-current')) {
        link.setAttribute('aria-current', 'true');
        const { left, right } = link.getBoundingClientRect(), box = list.getBoundingClientRect();
        if (left < box.left + FADE || right > box.right - FADE) list.scrollLeft += (left + right - box.left - box.right) / 2; // both its neighbours show
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
  // An edge fades where there is more beyond it.
  const ends = [...links.values()].flatMap((link, i, all) => (i === 0 || i === all.length - 1 ? [/** @type {Element} */ (link.parentElement)] : []));
  const edges = new IntersectionObserver((entries) => {
    for (const { target, intersectionRatio } of entries) list.classList.toggle(target === ends[0] ? 'from' : 'on', intersectionRatio < 0.9);
  }, { root: list, threshold: 0.9 });
  for (const end of ends) edges.observe(end);
}
