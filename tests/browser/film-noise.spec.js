// The film's third picture, the noise that goes with the network's guess, held against the network itself; and the film on the schedule.
import assert from 'node:assert/strict';
import { assertFaultless, share, test } from './support/harness.js';
import { button, canvas, control, generate, pixels, settings, stepped } from './support/page.js';

test.use({ gpu: false });
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });
const NOISE = /^The noise that the network predicted at t = /;

test('ε̂ is what the network predicts of the same x t, whatever the solver, the guidance and what it was trained to predict', async () => {
  const cases = [['mnist', 'ddim', 1], ['mnist', 'dpmpp-2m', 2], ['mnist', 'euler', 1], ['mnist', 'heun', 2], ['mnist-fast', 'ddim', 1]];
  for (const [model, sampler, guidance] of /** @type {[string, string, number][]} */ (cases)) {
    const worst = await page.evaluate(async ([model, sampler, guidance]) => {
      const { pollen } = window, { prediction, any } = await pollen.loadModel(`models/${model}/`);
      const options = { sampler, steps: 3, class: 3, guidance, seed: 4, count: 2 };
      /** @type {import('../../www/api/types.js').ReverseStep[]} */ const steps = [];
      await pollen.generate({ ...options, eps: true, onStep: (step) => { steps.push(step); } });
      let worst = 0;
      for (const { step, t, terms: { alphaBar }, eps } of steps.slice(1)) {
        const scale = ['euler', 'heun'].includes(sampler) ? Math.sqrt(alphaBar) : 1, { sample: x } = await pollen.generate({ ...options, until: step - 1 });
        const sample = x.map((value) => scale * value), ask = async (/** @type {number | null} */ label) => (await pollen.predict({ sample, shape: [2, 1, 28, 28], timestep: t - 1, classLabels: [label ?? 0, label ?? 0] })).prediction;
        const [asked, free] = [await ask(3), await ask(any)], said = asked.map((value, i) => free[i] + guidance * (value - free[i]));
        // A network trained to predict v = √ᾱ·ε − √(1 − ᾱ)·x0.
        const own = prediction === 'v_prediction' ? said.map((v, i) => Math.sqrt(1 - alphaBar) * sample[i] + Math.sqrt(alphaBar) * v) : said;
        worst = own.reduce((most, value, i) => Math.max(most, Math.abs(value - (eps?.[i] ?? NaN))), worst);
      }
      return worst;
    }, /** @type {const} */ ([model, sampler, guidance]));
    assert.ok(worst < 1e-3, `${model}, ${sampler}: ${worst}`);
  }
});

test('it is drawn beside the guess in every frame: grey for 0, black and white for −3 and 3', async () => {
  await settings(page, { Model: 'MNIST digits', Class: '3', Sampler: 'DPM-Solver++ 2M', Steps: 4, Seed: 7, Count: 2 });
  await control(page, 'Guidance').fill('1');
  await generate(page);
  for (const frame of [0, 3]) {
    await control(page, 'Frame').fill(String(frame));
    const { data, width } = await pixels(canvas(page, NOISE)), step = Math.max(1, frame);
    assert.equal(width, 2 * 28 + 1);
    const expected = await page.evaluate(async (step) => {
      const { pollen } = window, shape = /** @type {const} */ ([2, 1, 28, 28]), clip = (await pollen.samplers()).find(({ name }) => name === 'dpmpp-2m')?.clip ?? {}; // as the model’s entry has it
      const options = { sampler: 'dpmpp-2m', steps: 4, class: 3, seed: 7, count: 2, scheduler: clip };
      let t = 0;
      const sample = step > 1 ? (await pollen.generate({ ...options, until: step - 1 })).sample : await pollen.randn({ seed: 7, shape: [...shape] });
      await pollen.generate({ ...options, until: step, onStep: (one) => { t = one.t; } });
      return [...(await pollen.predict({ sample, shape: [...shape], timestep: t - 1, classLabels: [3, 3] })).prediction];
    }, step);
    expected.forEach((value, i) => {
      const x = (i % 28) + (i >= 784 ? 29 : 0), y = Math.floor((i % 784) / 28), wanted = Math.max(0, Math.min(255, 127.5 + 42.5 * value));
      assert.ok(Math.abs(data[4 * (y * width + x)] - wanted) <= 1, `frame ${frame}, number ${i}: ${data[4 * (y * width + x)]} for ${wanted}`);
    });
  }
  await page.getByText('ε̂, the noise that the network predicted there, from which that picture follows by the first formula, clipped where that is asked. Grey is 0, black −3, white 3.').waitFor();
  assertFaultless(page);
});

test('the run on its schedule: a point for every timestep that was visited; the chart and the film lead each other', async () => {
  await page.getByText('The run on its schedule: where its steps lie').click({ timeout: 20_000 });
  const chart = page.getByRole('slider', { name: 'The run on its schedule' });
  await page.getByText(/^DPM-Solver\+\+ 2M: 4 steps, \d of them from where more than half of the variance is noise, t = 260 and above\.\s*$/).waitFor();
  const { t, alphaBar } = await page.evaluate(async () => {
    /** @type {number[]} */ const t = [];
    await window.pollen.generate({ sampler: 'dpmpp-2m', steps: 4, class: 3, onStep: (step) => { t.push(step.t); } });
    return { t, alphaBar: [...(await window.pollen.schedule()).alphaBar] };
  });
  await control(page, 'Frame').fill('2');
  assert.equal(await chart.getAttribute('aria-valuenow'), String(t[2]));
  await chart.focus();
  await page.keyboard.press('ArrowRight'); // towards the noise
  assert.deepEqual([await control(page, 'Frame').inputValue(), await chart.getAttribute('aria-valuenow')], ['1', String(t[1])]);
  await page.keyboard.press('Home');
  assert.equal(await control(page, 'Frame').inputValue(), '4');
  await page.getByText('Table: The run on its schedule').click();
  const cells = await page.locator('#path-chart td').allInnerTexts();
  assert.equal(cells.length, 5);
  [0, ...t.reverse()].forEach((at, i) => assert.ok(Math.abs(Number(cells[i]) - alphaBar[at]) < 1e-3 * alphaBar[at] + 1e-4, `${at}: ${cells[i]} for ${alphaBar[at]}`));
  // The curve between them is there: the schedule goes through them.
  assert.ok(await page.locator('#path-chart path.floor').count());
  // A solver that asks twice at a timestep is there once, and while another run goes on nothing is moved.
  await settings(page, { Sampler: 'Heun', Steps: 3, Count: 1 });
  await generate(page);
  await page.getByText(/^Heun: 3 steps/).waitFor();
  await settings(page, { Sampler: 'DDIM', Steps: 900 });
  await button(page, 'Generate').click();
  await stepped(page);
  await chart.focus();
  await page.keyboard.press('End');
  assert.equal(await control(page, 'Frame').inputValue(), '5');
  await button(page, 'Cancel').click();
});
