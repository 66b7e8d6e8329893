// How the sections below the first screen come: one after the other, where the address leads, and without one that is missing.
import assert from 'node:assert/strict';
import { address, assertFaultless, test } from './support/harness.js';
import { ready } from './support/page.js';

test.use({ gpu: false });

test('the sections begin one after the other: the browser has its turn between them, and each is begun', async ({ open }) => {
  const page = await open({ blank: true });
  await page.addInitScript(() => {
    const scope = /** @type {any} */ (globalThis);
    scope.turns = 0;
    scope.appeared = []; // how many sections at a time
    new MutationObserver((changes) => {
      const sections = changes.filter(({ target }) => target instanceof HTMLElement && target.matches('section.chain') && !target.hidden);
      if (sections.length) scope.appeared.push(sections.length);
    }).observe(document, { attributeFilter: ['hidden'], subtree: true });
    // Turns of the browser from the moment that both chains stand until all can be used: a message each.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const root = document.documentElement;
      if (root?.dataset.started) return;
      if (document.querySelector('.wide-formula')) scope.turns++;
      setTimeout(() => port2.postMessage(null));
    };
    port2.postMessage(null);
  });
  await page.goto(address);
  await ready(page);
  const turns = await page.evaluate(() => /** @type {any} */ (globalThis).turns);
  assert.ok(turns >= 5, `${turns} turns`);
  const appeared = await page.evaluate(() => /** @type {any} */ (globalThis).appeared), sections = page.locator('section.chain'), count = await sections.count();
  assert.equal(await sections.filter({ visible: true }).count(), count);
  assert.deepEqual(appeared, Array(count - 1).fill(1)); // all but the first, each by itself
  for (const [id, child] of [['kl-chart', 'svg path'], ['b-square', '.point'], ['loss-chart', 'svg'], ['plane-form', '#p-sampler option'], ['race-lanes', 'select']]) await page.locator(`#${id} ${child}`).first().waitFor({ state: 'attached' });
  assertFaultless(page);
});

test('an address leads to its section, though that appears after the first screen', async ({ open }) => {
  const page = await open({ blank: true });
  await page.goto(`${address}#plane`);
  await ready(page);
  const box = await page.getByRole('heading', { name: /^A plane where all is visible/ }).boundingBox();
  assert.ok(box && box.y > 0 && box.y < 300, JSON.stringify(box));
  assertFaultless(page);
});

test('a section that cannot be fetched is named, and the others begin', async ({ open }) => {
  const page = await open({ blank: true, serve: { '**/sections/plane.js': (route) => route.abort() } });
  await page.goto(address);
  await ready(page);
  await page.getByRole('alert').filter({ hasText: /^A part of the page could not be started: .*plane\.js.* Reload the page\./ }).waitFor({ timeout: 20_000 });
  await page.getByRole('status').filter({ hasText: /^Ready/ }).waitFor();
  await page.locator('#kl-chart svg path').first().waitFor({ state: 'attached' });
  assert.equal(await page.getByRole('heading', { name: /^A plane where all is visible/ }).count(), 0); // nothing of it could be used
});
