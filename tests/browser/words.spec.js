// Words and symbols: what they mean, where they stand, the glossary, and what lies deeper.
import assert from 'node:assert/strict';
import { TERMS } from '../../www/ui/terms.js';
import { violations } from './support/axe.js';
import { address, assertFaultless, test } from './support/harness.js';
import { button, control, generate, ready, settings } from './support/page.js';

test.use({ gpu: false });
test.beforeEach(({ }, info) => info.setTimeout(120_000));
/** @import { Page } from '@playwright/test' */

const meaning = (/** @type {Page} */ page) => page.getByRole('tooltip');
/** What is lit, as "section: text". */
const lit = (/** @type {Page} */ page) => page.locator('.lit:not(sub)').evaluateAll((all) => all.map((one) => `${one.closest('section, footer')?.id}: ${one.textContent?.replace(/\s+/g, '').normalize('NFD')}`));

/** How a term's use is told in a text; of the others, by its name up to a bracket or a comma. Symbols are told by symbols.js. @type {Record<string, RegExp>} */
const USES = {
  network: /\bnetworks?\b/i, step: /\bsteps?\b/i, schedule: /\bschedules?\b/i, pass: /\bpass(es)?\b(?! as| by)/, class: /\bclass(es)?\b/i, seed: /\bseeds?\b/i, sampler: /\bsamplers?\b/i,
  parameters: /\bparameters?\b/i, channel: /\bchannels?\b/i, kernel: /\bkernels?\b/i, convolution: /\bconvolutions?\b/i, batch: /\bbatch(es)?\b/i, ema: /moving average|average of the weights/i,
  minsnr: /min-?\s?\(?SNR/i, elbo: /evidence lower bound|ELBO/i, bitsdim: /bits\/dim/i, nats: /\bnats?\b/i, kl: /KL divergence|D_KL/, softmax: /softmax/i, rate: /learning rate/i, checkpoint: /\bcheckpoints?\b/i,
  gradient: /\bgradients?\b/i, guidance: /\bguidance\b/i, variance: /\bvariances?\b/i, loss: /\bloss\b/i,
};

test('every term is marked once, where it first stands; every mark has its text', async ({ open }) => {
  const page = await open();
  const html = await (await fetch(address)).text();
  const uses = Object.fromEntries(Object.entries(TERMS).map(([id, { name }]) => {
    const { source, flags } = USES[id] ?? new RegExp(`(?<![\\p{L}])${name.split(/[,(]/)[0].trim().replace(/[+]/g, '\\$&')}(?![\\p{L}])`, 'u');
    return [id, [source, flags]];
  }));
  const { marks, late } = await page.evaluate(async ([html, uses]) => {
    const { nameAt, nameOf } = await import(`${location.origin}${location.pathname}ui/symbols.js`);
    const page = new DOMParser().parseFromString(html, 'text/html'), marks = [...page.querySelectorAll('[data-term]')], late = [];
    const before = (/** @type {Node} */ a, /** @type {Node} */ b) => Boolean(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING) && !a.contains(b);
    for (const mark of marks) {
      const id = /** @type {HTMLElement} */ (mark).dataset.term ?? '', [source, flags] = uses[id] ?? ['^', ''], use = new RegExp(source, flags);
      // The text explains; what names a control, a fold or a column does not.
      for (const element of page.querySelectorAll('main :is(p, dd, figcaption, li)')) {
        if (!before(element, mark)) continue;
        const symbol = [...element.querySelectorAll('msub, mover, mi, i')].find((one) => nameOf(one) && nameAt(one).name === id);
        if (symbol || use.test(element.textContent ?? '')) late.push(`${id}: ${element.textContent?.trim().slice(0, 80)}`);
      }
      for (const one of page.querySelectorAll('main math :is(msub, msubsup, mover, mi)')) if (before(one, mark) && nameAt(one).name === id) late.push(`${id}: ${one.closest('math')?.textContent}`);
    }
    return { marks: marks.map((mark) => /** @type {HTMLElement} */ (mark).dataset.term), late };
  }, /** @type {[string, Record<string, string[]>]} */ ([html, uses]));
  assert.deepEqual([...marks].sort(), Object.keys(TERMS).sort());
  assert.deepEqual(late, []);
  for (const { name, text } of Object.values(TERMS)) assert.ok(name && /^[^.]/.test(text) && text.endsWith('.') && text.length < 260, `${name}: ${text}`);
});

test('a symbol lights up wherever it stands, in formulas that are written as a chain runs, too', async ({ open }) => {
  const page = await open();
  await ready(page);
  await settings(page, { Class: '3', Sampler: 'DDIM', Steps: 2, Count: 1 });
  await generate(page);
  // ᾱ: in the forward chain, the reverse chain and the training; not what only looks like it.
  await page.locator('#jump-formula [data-sym=alpha]').first().hover();
  await page.waitForFunction(() => document.querySelectorAll('.lit').length);
  const alpha = await lit(page);
  for (const section of ['forward', 'reverse', 'train', 'ideal-denoiser', 'plane']) assert.ok(alpha.some((one) => one.startsWith(`${section}: `)), `${section}: ${alpha.join(' ')}`);
  assert.ok(alpha.every((one) => one.includes('α')), alpha.join(' '));
  // A letter inside a symbol is that symbol; x̂₀ is another than x₀, and the numbers' formula has it.
  const live = page.locator('#step-live');
  await live.locator('.signal mi').hover();
  await page.waitForFunction(() => document.querySelector('#step-live .lit'));
  const guess = await lit(page);
  assert.ok(guess.length > 5 && guess.every((one) => /x[̂^]/.test(one)), guess.join(' '));
  assert.ok(new Set(guess.map((one) => one.split(':')[0])).size >= 4, guess.join(' '));
  // ε_θ, not ε.
  await page.locator('#reverse .formula > .wide-formula .noise mi').first().hover();
  await page.waitForFunction(() => document.querySelector('#train .lit') && !document.querySelector('#step-live .lit'));
  assert.ok((await lit(page)).every((one) => one.endsWith('εθ')), (await lit(page)).join(' '));
  // In a chart's labels, and out again.
  await page.getByRole('slider', { name: 'β by timestep' }).hover();
  await page.waitForFunction(() => document.querySelector('#curves [data-sym=beta].lit') && document.querySelector('#f-maths .lit'));
  await page.getByRole('heading', { level: 1 }).hover();
  await page.waitForFunction(() => !document.querySelector('.lit'));
  assertFaultless(page);
});

test('what a term means: by pointer, by keyboard, by touch; Escape closes it and cancels nothing', async ({ open }) => {
  const page = await open();
  await ready(page);
  const term = button(page, 'Gaussian');
  await term.hover();
  await meaning(page).filter({ hasText: /The bell curve/ }).waitFor();
  await meaning(page).hover();
  await page.waitForTimeout(400);
  assert.ok(await meaning(page).isVisible(), 'the pointer may go to it');
  assert.deepEqual(await violations(page), []);
  await page.getByRole('heading', { level: 1 }).hover();
  await meaning(page).waitFor({ state: 'hidden' });
  // By keyboard, and a symbol is lit with it.
  await page.locator('[data-term=beta]').focus();
  await meaning(page).filter({ hasText: /The share of the variance that step t takes/ }).waitFor();
  assert.equal(await page.locator('[data-term=beta]').getAttribute('aria-describedby'), await meaning(page).getAttribute('id'));
  await page.waitForFunction(() => document.querySelector('#reverse .lit'));
  assert.ok((await lit(page)).every((one) => one.includes('β')), (await lit(page)).join(' '));
  const escapes = await page.evaluate(() => { const scope = /** @type {any} */ (globalThis); scope.escapes = 0; addEventListener('keydown', ({ key }) => { scope.escapes += Number(key === 'Escape'); }); return scope.escapes; });
  await page.keyboard.press('Escape');
  await meaning(page).waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).escapes) - escapes, 1, 'the second is the page’s');
  // Pressed, it stays; pressed again, or anything else, it goes.
  await term.click();
  await meaning(page).waitFor();
  await page.getByRole('heading', { name: /^The forward chain/ }).hover();
  await page.waitForTimeout(400);
  assert.ok(await meaning(page).isVisible());
  await term.click();
  await meaning(page).waitFor({ state: 'hidden' });
  // A symbol of a formula.
  await page.locator('#jump-formula .signal mi').first().click();
  await meaning(page).filter({ hasText: /^ᾱt, alpha bar/ }).waitFor();
  await page.getByRole('heading', { level: 1 }).click();
  await meaning(page).waitFor({ state: 'hidden' });
  assertFaultless(page);
});

test('on a phone of 320 px what a term means is inside the window, by touch', async ({ open }) => {
  const page = await open({ context: { viewport: { width: 320, height: 640 }, hasTouch: true, colorScheme: 'dark' } });
  await ready(page);
  for (const id of ['gaussian', 'snr', 'epstheta', 'channel', 'elbo', 'fma']) {
    const term = page.locator(`[data-term=${id}]`);
    await term.evaluate((one) => one.scrollIntoView({ block: 'center' }));
    await term.tap();
    await meaning(page).filter({ hasText: TERMS[id].text.slice(-30) }).waitFor();
    const box = await meaning(page).boundingBox();
    assert.ok(box && box.x >= 0 && box.x + box.width <= 320 && box.y >= 0 && box.y + box.height <= 640, JSON.stringify(box));
  }
  assert.deepEqual(await violations(page), []);
  await button(page, 'Generate').evaluate((one) => one.scrollIntoView());
  await page.getByRole('heading', { level: 1 }).tap();
  await meaning(page).waitFor({ state: 'hidden' });
  assertFaultless(page);
});

test('the glossary has every term in the order of the alphabet, each with a way back', async ({ open }) => {
  const page = await open();
  await ready(page);
  await page.getByText('Glossary: every term and symbol').click();
  const list = page.locator('#glossary dl');
  await list.waitFor();
  const names = await list.locator('dt').allInnerTexts();
  assert.deepEqual(names.map((name) => name.replace(/\s/g, '')), Object.values(TERMS).map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en')).map((name) => name.replace(/[_{}\s]/g, '')));
  const links = await list.getByRole('link').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? ''));
  for (const link of links) assert.equal(await page.locator(`section${link}`).count(), 1, link);
  assert.equal(links.length, names.length - 2); // two stand before all sections
  assert.deepEqual(await violations(page), []);
  const entry = list.locator('div', { hasText: /^SNR/ });
  await entry.getByRole('link', { name: 'Forward' }).focus();
  await page.waitForFunction(() => document.querySelector('#forward .lit'));
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: /^The forward chain/ });
  await page.waitForFunction(() => scrollY < 2000);
  const box = await heading.boundingBox();
  assert.ok(box && box.y > 0 && box.y < 450, JSON.stringify(box));
  assertFaultless(page);
});

test('every section goes deeper: a text with formulas, valid ones, fetched when it is opened', async ({ open }) => {
  const page = await open({ context: { viewport: { width: 1440, height: 900 } } });
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => { if (request.url().includes('/deeper/')) asked.push(request.url().slice(address.length)); });
  await ready(page);
  assert.deepEqual(asked, []);
  const sections = page.locator('section.chain'), count = await sections.count();
  assert.equal(count, 12);
  for (let i = 0; i < count; i++) {
    const section = sections.nth(i), fold = section.locator('details', { has: page.locator('> summary', { hasText: /^Go deeper: / }) });
    assert.equal(await fold.count(), 1, `section ${i + 1}`);
    if (i) assert.equal(await fold.locator('math').count(), 0); // the first has its text with it
    if (i) await fold.locator('> summary').click();
    await fold.locator('math[display=block]').first().waitFor();
    const words = (await fold.innerText()).split(/\s+/).length;
    assert.ok(words > 80, `section ${i + 1}: ${words} words`);
  }
  assert.equal(new Set(asked).size, 11);
  const wrong = await page.evaluate(() => {
    const takes = { mfrac: 2, msub: 2, msup: 2, mover: 2, munder: 2, mroot: 2, msubsup: 3, munderover: 3 };
    const known = new Set(['math', 'mrow', 'mi', 'mn', 'mo', 'mtext', 'mspace', 'msqrt', 'mpadded', 'mtable', 'mtr', 'mtd', 'mstyle', ...Object.keys(takes)]), all = [...document.querySelectorAll('.deeper math, .deeper math *')];
    return all.filter(({ localName, childElementCount }) => !known.has(localName) || (localName in takes && takes[/** @type {keyof typeof takes} */ (localName)] !== childElementCount)).map(({ outerHTML }) => outerHTML);
  });
  assert.deepEqual(wrong, []);
  assert.deepEqual(await violations(page), []);
  const [content, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= view, `${content} px of content in ${view} px`);
  // What was written into it is lit like all else.
  await page.locator('#kl .deeper msub').first().hover();
  await page.waitForFunction(() => document.querySelector('#kl .maths .lit') && document.querySelector('#reverse .lit'));
  assertFaultless(page);
});

test('a deeper text that cannot be fetched says so, and is fetched when asked again', async ({ open }) => {
  let broken = true;
  const page = await open({ serve: { '**/deeper/kl.html': (route) => (broken ? route.abort() : route.continue()) } });
  await ready(page);
  const fold = page.locator('#kl .deeper');
  await fold.locator('summary').click();
  await fold.getByText(/^This text could not be fetched: .* Check the connection\.$/).waitFor();
  broken = false;
  await fold.getByRole('button', { name: 'Try again' }).click();
  await fold.locator('math[display=block]').first().waitFor();
  assert.equal(await fold.getByText(/could not be fetched/).count(), 0);
  await control(page, 'Seed').fill('1'); // the page goes on
});
