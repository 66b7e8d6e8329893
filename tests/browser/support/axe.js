// What axe-core finds wrong on the page.
import { readFileSync } from 'node:fs';

const axe = readFileSync(new URL('../../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/**
 * Each violation as "rule: element", in the page or in one part of it, as it is drawn: whether a formula scrolls, and so takes the
 * keyboard's focus, is known once it is laid out, and while a run writes new numbers axe-core may look in between. So two frames are
 * waited for, and what it finds must still be there two frames later.
 * @param {import('@playwright/test').Page} page
 * @param {string} [part] a selector
 * @returns {Promise<string[]>}
 */
export async function violations(page, part) {
  await page.evaluate(axe);
  return page.evaluate(async (part) => {
    const look = async () => {
      for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
      const { violations, passes } = await /** @type {any} */ (globalThis).axe.run(part ?? document), least = part ? 10 : 20;
      if (passes.length < least) throw new Error(`only ${passes.length} rules were applied`);
      return violations.flatMap((/** @type {any} */ { id, nodes }) => nodes.map((/** @type {any} */ { target }) => `${id}: ${target}`));
    };
    const found = await look();
    if (!found.length) return [];
    const still = await look();
    return found.filter((/** @type {string} */ one) => still.includes(one));
  }, part);
}
