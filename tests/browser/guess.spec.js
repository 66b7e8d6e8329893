// The questions that the sections ask: answers to choose from, nothing given away before, and then what is right, by what was measured.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, control, done, generate, settings } from './support/page.js';

test.use({ gpu: false });
/** @import { Page } from '@playwright/test' */
/** @type {Page} */ let page;
share((opened) => { page = opened; });
const group = (/** @type {RegExp} */ question) => page.getByRole('radiogroup', { name: question });
const answer = (/** @type {RegExp} */ question, /** @type {string} */ text) => group(question).getByRole('radio', { name: text, exact: true });
/** What is said once one has answered. */
const verdict = (/** @type {RegExp} */ question) => group(question).locator('+ .verdict');

test('every question has its answers, none of which is given away; by keyboard one looks at them before choosing', async () => {
  for (const fold of ['Which schedule destroys the picture first?', 'Why do large pictures need another schedule?']) await page.getByText(fold).click();
  const groups = await page.getByRole('radiogroup').all(), asked = await page.locator('.ask').count();
  assert.ok(groups.length === asked && asked >= 14, `${groups.length} groups for ${asked} questions`);
  for (const one of groups) {
    const answers = one.getByRole('radio'), said = one.locator('+ .verdict');
    assert.ok(await answers.count() >= 2, await one.innerText());
    assert.deepEqual([await one.locator('[aria-checked=true], .is-right').count(), await said.innerText()], [0, '']);
    assert.equal(await one.locator('[tabindex="0"]').count(), 1);
    await answers.first().focus();
    await page.keyboard.press('ArrowRight');
    assert.ok(await answers.nth(1).evaluate((element) => element === document.activeElement));
    assert.equal(await said.innerText(), '');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Space');
    assert.deepEqual([await answers.first().getAttribute('aria-checked'), await one.locator('[aria-checked=true]').count()], ['true', 1]);
    await page.waitForFunction((element) => /^(Right|Not so|Kept)\. [A-Z“6√].{20}/.test(element?.nextElementSibling?.textContent ?? ''), await one.elementHandle());
    const right = await one.locator('.is-right').count(), text = await said.innerText();
    assert.equal(right, text.startsWith('Kept') ? 0 : 1, text);
    assert.equal(text.startsWith('Right'), await answers.first().evaluate((element) => element.classList.contains('is-right')), text);
  }
  assertFaultless(page);
});

test('the schedules are drawn after the guess, and the answer is the schedules’ own', async ({ open }) => {
  const other = await open(), chart = other.getByRole('slider', { name: 'ᾱ of every schedule' });
  await other.getByText('Which schedule destroys the picture first?').click();
  await other.waitForTimeout(300);
  assert.equal(await chart.count(), 0);
  const of = other.getByRole('radiogroup', { name: /half of the variance noise first/ });
  await of.getByRole('radio', { name: 'Cosine' }).click();
  await chart.waitFor();
  const { names, halves } = await other.evaluate(async () => {
    const names = /** @type {const} */ (['linear', 'scaled_linear', 'geometric', 'sigmoid', 'cosine']);
    return { names, halves: await Promise.all(names.map(async (schedule) => (await window.pollen.schedule({ schedule })).alphaBar.findIndex((left) => left <= 0.5))) };
  });
  const first = names[halves.indexOf(Math.min(...halves))];
  assert.equal(await of.locator('.is-right').getAttribute('value'), first);
  assert.match(await of.locator('+ .verdict').innerText(), new RegExp(`^${first === 'cosine' ? 'Right' : 'Not so'}\\. .* from t = ${Math.min(...halves)} on`));
});

test('what only a run can tell is told by the run: the first prediction of Best is a blur, that of Fast is not; the bound’s terms', async () => {
  const question = /very first prediction/;
  await answer(question, 'A blur').click();
  assert.match(await verdict(question).innerText(), /^Kept\./);
  await settings(page, { Model: 'MNIST digits', Class: 'Any', Steps: 8, Count: 4, Seed: 0 });
  await generate(page);
  assert.match(await verdict(question).innerText(), /^Right\. It is a blur, correlated 0\.[0-6]/);
  await settings(page, { Model: 'MNIST digits, fast' });
  await generate(page);
  assert.match(await verdict(question).innerText(), /^Not so\. It is correlated 0\.[89].*Choose Best/);
  await settings(page, { Model: 'MNIST digits' });
  const bound = /Which timesteps cost most/;
  await answer(bound, 'The last ones').click();
  await verdict(bound).filter({ hasText: /^Right\. .* in the recorded example/ }).waitFor();
  await control(page, 'Timesteps visited').fill('12');
  await done(page, () => button(page, 'Measure the bound').click());
  assert.match(await verdict(bound).innerText(), /^Right\. The last tenth of the timesteps, t = 100 to 1, cost [\d.]+ bits\/dim here, and all of the noisier half [\d.]+/);
});
