// How the page looks: nothing sticks out, every text has the contrast that WCAG asks; pictures of it are left in target/screenshots.
import assert from 'node:assert/strict';
import { contrasts } from './support/contrast.js';
import { assertFaultless, test } from './support/harness.js';
import { control, diffuse, generate, ready, settings } from './support/page.js';

/** @type {Record<string, import('@playwright/test').BrowserContextOptions>} */
const views = {
  wide: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true },
  narrow: { viewport: { width: 320, height: 640 }, colorScheme: 'dark', hasTouch: true },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
};

for (const [name, context] of Object.entries(views)) {
  test(`nothing sticks out, and texts can be read: ${name}`, async ({ open }) => {
    const page = await open({ context });
    await ready(page);
    await control(page, 'Length T').fill('60');
    await diffuse(page);
    await page.evaluate(() => window.pollen.restart({ device: 'cpu' })); // looks the same and is there sooner
    await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 10, Seed: 0, Count: 4 });
    await generate(page);
    await page.screenshot({ path: new URL(`../../target/screenshots/${name}.png`, import.meta.url).pathname, fullPage: true });
    const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= view, `${content} px of content in ${view} px`);
    const small = await page.getByRole('button').evaluateAll((buttons) => /** @type {HTMLElement[]} */ (buttons)
      .filter((button) => button.checkVisibility())
      .filter((button) => button.getBoundingClientRect().height < 24 || button.getBoundingClientRect().width < 24)
      .map((button) => button.innerText));
    assert.deepEqual(small, []);
    const short = await page.getByRole('slider').and(page.locator('input')).evaluateAll((sliders) => sliders.filter((slider) => slider.checkVisibility() && slider.getBoundingClientRect().width < 96).map(({ id }) => id));
    assert.deepEqual(short, []);
    // The frames of the run end above what is said of them.
    const [frames, hint] = await page.locator('#chain-strip').evaluate((strip) => [strip.lastElementChild?.getBoundingClientRect().bottom ?? 0, strip.nextElementSibling?.getBoundingClientRect().top ?? 0]);
    assert.ok(frames > 0 && frames <= hint, `${frames}, ${hint}`);
    const { count, low } = await page.evaluate(contrasts);
    assert.ok(count > 200, `${count} texts were looked at`);
    assert.deepEqual(low, []);
    assertFaultless(page);
  });
}

test('formulas wait for their face: roots have their sign', async ({ open }) => {
  const late = new Promise((resolve) => setTimeout(resolve, 1500));
  const page = await open({ serve: { '**/fonts/maths.woff2': async (route) => { await late; await route.continue(); } } });
  const signs = () => page.locator('msqrt:visible').evaluateAll((roots) => roots.map((root) => {
    const [inside, last] = [root.firstElementChild, root.lastElementChild].map((child) => /** @type {Element} */ (child).getBoundingClientRect());
    return root.getBoundingClientRect().width - (last.right - inside.left);
  }));
  await ready(page);
  await page.waitForFunction(() => document.fonts.check('1em "STIX Two Math"'));
  const widths = await signs();
  assert.ok(widths.length > 10 && widths.every((width) => width > 4), widths.join(' '));
  assertFaultless(page);
});

test('formulas are valid MathML, which Firefox refuses to draw otherwise; parentheses are no taller than what is in them', async ({ open }) => {
  const page = await open();
  await ready(page);
  const { wrong, tall } = await page.evaluate(() => {
    const takes = { mfrac: 2, msub: 2, msup: 2, mover: 2, munder: 2, mroot: 2, msubsup: 3, munderover: 3 };
    const wrong = Object.entries(takes).flatMap(([name, count]) => [...document.getElementsByTagName(name)].filter(({ childElementCount }) => childElementCount !== count).map(({ outerHTML }) => outerHTML));
    const open = [...document.querySelectorAll('mo')].filter((one) => one.textContent === '(' && one.checkVisibility());
    const tall = open.flatMap((one) => {
      let end = one.nextElementSibling, high = 0;
      for (let depth = 1; end && (depth -= Number(end.textContent === ')'), depth += Number(end.textContent === '('), depth); end = end.nextElementSibling) high = Math.max(high, end.getBoundingClientRect().height);
      return one.getBoundingClientRect().height > 1.35 * high + 6 ? [one.parentElement?.textContent ?? ''] : [];
    });
    return { wrong, tall };
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(tall, []);
  assertFaultless(page);
});
