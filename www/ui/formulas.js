// Displayed formulas scroll where they are wider than their column, by keyboard too: not every browser scrolls <math> itself.

export const startFormulas = () => frameFormulas(document);

/** @param {ParentNode} root whose formulas they are */
export function frameFormulas(root) {
  const seen = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const box = /** @type {HTMLElement} */ (target.closest('.wide-formula')), wide = box.scrollWidth > box.clientWidth + 1;
      box.toggleAttribute('tabindex', wide);
      if (wide) box.tabIndex = 0;
    }
  });
  for (const formula of root.querySelectorAll('math[display="block"]')) {
    const box = document.createElement('div');
    box.className = 'wide-formula';
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', 'Formula');
    formula.replaceWith(box);
    box.append(formula);
    seen.observe(formula);
    seen.observe(box);
  }
}
