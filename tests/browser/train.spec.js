// Training in the page: the engine's API on a tiny network.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeGpuCalls, share, test } from './support/harness.js';
import { png } from './support/images.js';
import { parse } from './support/safetensors.js';

const EDGE = 8;
/** A gradient under four quarters of blue. */
const colour = (/** @type {number} */ x, /** @type {number} */ y) => [255 * x / (EDGE - 1), 255 * y / (EDGE - 1), (x < EDGE / 2) === (y < EDGE / 2) ? 230 : 25, 255].map(Math.round);
/** The picture as the engine takes it. */
const PIXELS = Array.from({ length: 3 * EDGE * EDGE }, (_, i) => {
  const at = i % (EDGE * EDGE);
  return colour(at % EDGE, Math.floor(at / EDGE))[Math.floor(i / (EDGE * EDGE))];
});
/** Without attention: 41,000 parameters. */
const TINY = {
  sample_size: EDGE, in_channels: 3, out_channels: 3, block_out_channels: [8, 16], layers_per_block: 1,
  down_block_types: ['DownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'UpBlock2D'], norm_num_groups: 4, add_attention: false,
};
/** @type {import('@playwright/test').Page} */ let page;
share((opened) => { page = opened; });

/** Begins `window.training` on the picture. */
const begin = (/** @type {Partial<import('../../www/api/types.js').TrainOptions>} */ { checkpoint, ...options }) => page.evaluate(async ([pixels, edge, options, checkpoint]) => {
  const data = { pixels: Uint8Array.from(pixels), channels: 3, height: edge, width: edge };
  window.training = await window.pollen.train({ ...data, ...options, checkpoint: checkpoint && Uint8Array.from(checkpoint) });
  window.losses = [];
}, /** @type {[number[], number, typeof options, number[] | undefined]} */ ([PIXELS, EDGE, options, checkpoint && [...checkpoint]]));
/** Trains up to `steps`; losses of each step since the beginning. */
const run = (/** @type {number} */ steps) => page.evaluate(async (steps) => {
  await window.training.run({ steps, onReport: ({ step, loss }) => { window.losses[step - 1] = loss; } });
  return window.losses;
}, steps);

test('a tiny network learns a picture: the loss falls, on the GPU, without allocating', async () => {
  const cost = await page.evaluate((config) => window.pollen.inspectTraining({ config, batch: 4 }), TINY);
  assert.ok(cost.parameters > 40_000 && cost.parameters < 42_000 && cost.weight_bytes >= 20 * cost.parameters, JSON.stringify(cost));
  await begin({ config: TINY, recipe: { batch: 4, rate: 5e-3, warm_up: 100, decay_steps: 300, seed: 1 } });
  await run(5);
  await takeGpuCalls(page);
  await run(15);
  const submits = await takeGpuCalls(page);
  const dispatches = submits.flatMap(({ passes }) => passes.flat());
  assert.equal(dispatches.length, 10 * cost.dispatches_per_step, JSON.stringify(submits));
  assert.ok(dispatches.includes('conv2d_weight_gradient') && dispatches.includes('adam'));
  const made = submits.reduce((sum, { buffers, bindGroups, pipelines }) => sum + buffers + bindGroups + pipelines, 0);
  assert.equal(made, 0, `a step allocates: ${JSON.stringify(submits)}`);

  const losses = await run(300);
  assert.equal(losses.length, 300);
  const mean = (/** @type {number} */ from, /** @type {number} */ to) => losses.slice(from, to).reduce((a, b) => a + b) / (to - from);
  const [first, last] = [mean(0, 50), mean(250, 300)];
  console.log(`loss: ${first.toFixed(3)} over the first fifty steps, ${last.toFixed(3)} over the last`);
  assert.ok(first >= 5 * last, `the loss fell from ${first} to ${last}`);
});

test('the averaged network knows the picture, and its files load back as the same network', async () => {
  const { error, own, loaded, files } = await page.evaluate(async ([pixels, edge]) => {
    const { pollen, training } = window;
    const x0 = pixels.map((byte) => byte / 127.5 - 1), t = 200;
    let state = 1;
    const uniform = () => ((state = Math.imul(state, 1664525) + 1013904223 >>> 0) + 1) / 4294967297;
    const noise = x0.map(() => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
    const alphaBar = (await pollen.schedule({})).alphaBar[t + 1];
    const [signal, sigma] = [Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar)];
    const sample = Float32Array.from(x0, (x, i) => signal * x + sigma * noise[i]);
    /** @type {import('../../www/api/types.js').Shape} */ const shape = [1, 3, edge, edge];
    await training.use();
    const { prediction } = await pollen.predict({ sample, shape, timestep: t });
    // x̂_0 = (x_t − √(1 − ᾱ_t) ε_θ)/√ᾱ_t
    const error = x0.reduce((sum, x, i) => sum + ((sample[i] - sigma * prediction[i]) / signal - x) ** 2, 0) / x0.length;
    /** @type {import('../../www/api/types.js').GenerateOptions} */ const options = { sampler: 'ddim', steps: 4, seed: 3 };
    const own = await training.sample(options);
    const files = await training.files();
    const all = /** @type {[string, Uint8Array<ArrayBuffer>][]} */ (Object.entries(files));
    await pollen.loadModel(all.map(([name, bytes]) => new File([bytes], name)));
    const loaded = await pollen.generate(options);
    return { error, own: [...own.sample], loaded: [...loaded.sample], files: all.map(([name, bytes]) => /** @type {[string, number[]]} */ ([name, [...bytes]])) };
  }, /** @type {[number[], number]} */ ([PIXELS, EDGE]));
  assert.ok(error < 0.1, `mean square error of x̂_0 at t = 200: ${error}, where noise alone is 0.5`);
  assert.deepEqual(files.map(([name]) => name).sort(), ['config.json', 'diffusion_pytorch_model.safetensors', 'scheduler_config.json']);
  const weights = parse(Buffer.from(files.find(([name]) => name.endsWith('.safetensors'))?.[1] ?? []));
  assert.deepEqual(weights['conv_in.weight'].shape, [8, 3, 3, 3]);
  assert.deepEqual(own, loaded);
});

test('a step tells of each picture; raw weights and the nearest picture beside a sample', async () => {
  const { reports, sample, raw, own } = await page.evaluate(async () => {
    const { training } = window, options = { sampler: 'ddim', steps: 4, seed: 3 };
    /** @type {import('../../www/api/types.js').TrainingReport[]} */ const reports = [];
    /** @type {any[]} */ const samples = [];
    await training.run({ steps: training.step + 2, sample: options, compare: true, onReport: (report) => reports.push(report), onSample: ({ rgba, raw, nearest, ...of }) => samples.push({ ...of, rgba: [...rgba], raw: [...raw ?? []], nearest: nearest && { ...nearest, rgba: [...nearest.rgba] } }) });
    return { reports, sample: samples[0], raw: [...(await training.sample({ ...options, raw: true })).rgba], own: [...(await training.sample(options)).rgba], };
  });
  for (const { loss, losses, timesteps } of reports) {
    assert.ok(losses.length === 4 && timesteps.length === 4 && timesteps.every((t) => Number.isInteger(t) && t >= 0 && t < 1000), JSON.stringify(timesteps));
    assert.ok(Math.abs(losses.reduce((a, b) => a + b) / 4 - loss) < 1e-6 * loss, `${losses} and ${loss}`);
  }
  assert.notDeepEqual(reports[0].timesteps, reports[1].timesteps);
  assert.deepEqual(sample.rgba, own);
  assert.deepEqual(sample.raw, raw);
  assert.notDeepEqual(raw, own);
  const picture = Array.from({ length: EDGE * EDGE }, (_, i) => colour(i % EDGE, Math.floor(i / EDGE))).flat();
  assert.deepEqual(sample.nearest.rgba, picture);
  assert.deepEqual([sample.nearest.indices, sample.apart], [[0], null]);
  const far = Math.sqrt(PIXELS.reduce((all, byte, i) => all + (byte - own[4 * (i % (EDGE * EDGE)) + Math.floor(i / (EDGE * EDGE))]) ** 2, 0) / PIXELS.length) / 127.5;
  assert.ok(Math.abs(sample.nearest.distances[0] - far) < 1e-9, `${sample.nearest.distances[0]} and ${far}`);
});

test('the gradients of the tensors make up that of the step', async () => {
  const { norm, norms, none } = await page.evaluate(async ([pixels, edge, config]) => {
    const training = await window.pollen.train({ pixels: Uint8Array.from(pixels), channels: 3, height: edge, width: edge, config, recipe: { batch: 4 } }), none = await training.gradients();
    let norm = 0;
    await training.run({ steps: 1, onReport: (report) => { norm = report.norm; } });
    const norms = await training.gradients();
    await training.free();
    return { norm, norms, none };
  }, /** @type {[number[], number, object]} */ ([PIXELS, EDGE, TINY]));
  // Adam's m after one step: (1 − β₁) of the gradient, whose norm is at most 1.
  const sum = Math.hypot(...Object.values(norms)), wanted = 0.1 * Math.min(1, norm);
  assert.ok(norm > 0 && Math.abs(sum - wanted) < 1e-4 * wanted, `${sum} and ${norm}`);
  assert.ok(norms['conv_in.weight'] > 0 && norms['conv_out.bias'] > 0);
  assert.deepEqual(Object.values(none).filter(Boolean), []);
});

test('a checkpoint goes on as the training itself does', async () => {
  const five = () => page.evaluate(async () => {
    /** @type {object[]} */ const reports = [];
    await window.training.run({ steps: window.from + 5, onReport: (report) => reports.push(report) });
    await window.training.free();
    return reports;
  });
  await page.evaluate(async () => {
    window.from = window.training.step;
    window.kept = await window.training.checkpoint();
  });
  const straight = await five();
  assert.equal(straight.length, 5);
  await page.evaluate(async ([pixels, edge]) => {
    window.training = await window.pollen.train({ pixels: Uint8Array.from(pixels), channels: 3, height: edge, width: edge, checkpoint: window.kept });
  }, /** @type {[number[], number]} */ ([PIXELS, EDGE]));
  assert.deepEqual(await five(), straight);
  const why = await page.evaluate(async ([pixels, edge]) => {
    window.kept[window.kept.length - 5] ^= 1;
    return window.pollen.train({ pixels: Uint8Array.from(pixels), channels: 3, height: edge, width: edge, checkpoint: window.kept }).catch((/** @type {Error} */ error) => error.message);
  }, /** @type {[number[], number]} */ ([PIXELS, EDGE]));
  assert.match(String(why), /^the checkpoint is damaged, as its checksum shows$/);
});

test('a checkpoint is the command line\'s, byte for byte, and goes from one to the other and back', async ({}, info) => {
  const [picture, config, output] = ['picture.png', 'config.json', 'run'].map((name) => info.outputPath(name)), file = join(output, 'training.checkpoint');
  const cli = (/** @type {string[]} */ ...more) => execFileSync(process.env.POLLEN_CLI ?? 'pollen', [
    'train', '--data', picture, '--config', config, '--batch', '2', '--seed', '5', '--output', output, ...more,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  const checkpoint = async () => Buffer.from(await page.evaluate(async () => [...await window.training.checkpoint()]));
  const trained = async (/** @type {Parameters<typeof begin>[0]} */ options = {}) => {
    await begin({ config: TINY, recipe: { batch: 2, at_once: 2, seed: 5 }, ...options });
    return checkpoint();
  };
  const same = (/** @type {Buffer} */ here, /** @type {string} */ what) => assert.ok(here.equals(readFileSync(file)), `${what}: ${here.length} bytes here, ${readFileSync(file).length} there`);
  writeFileSync(picture, png(EDGE, EDGE, colour));
  writeFileSync(config, JSON.stringify(TINY));
  cli('--steps', '0');
  same(await trained(), 'before the first step');

  const losses = await run(2), two = await checkpoint();
  writeFileSync(file, two);
  writeFileSync(join(output, 'loss.csv'), `step,loss,gradient_norm,rate\n${losses.map((loss, i) => `${i + 1},${loss},1,0.001\n`).join('')}`);
  cli('--steps', '2', '--resume');
  same(two, 'the page\'s, written again');

  cli('--steps', '3', '--resume');
  await page.evaluate(() => window.training.free());
  same(await trained({ checkpoint: readFileSync(file) }), 'the command line\'s, written again');
  assert.equal((await run(4)).length, 4);
  await page.evaluate(() => window.training.free());
});

test('pause and cancel take effect within a step or two', async () => {
  await begin({ config: TINY, recipe: { batch: 2 } });
  const ended = await page.evaluate(async () => {
    const { pollen, training } = window;
    const stopAt = (/** @type {() => void} */ act) => training.run({ steps: 1000, onReport: ({ step }) => { if (step === at) act(); } }).catch((error) => error.name);
    let at = 3;
    const paused = await stopAt(() => pollen.pause());
    const cancelled = await ((at = paused.step + 3), stopAt(() => pollen.cancel()));
    return { paused, cancelled, asked: at, steps: (await training.run({ steps: 0 })).step };
  });
  assert.ok(ended.paused.step <= 6 && !ended.paused.done, JSON.stringify(ended));
  assert.equal(ended.cancelled, 'AbortError');
  assert.ok(ended.steps <= ended.asked + 3, JSON.stringify(ended));
});

test('a loss that is not finite ends the run with a sentence, and the average is kept', async () => {
  await begin({ config: TINY, recipe: { batch: 2, rate: 1000, clip: 0 } });
  const { error, finite } = await page.evaluate(async () => {
    const error = await window.training.run({ steps: 300 }).then(() => null, ({ name, message }) => ({ name, message }));
    const { sample } = await window.training.sample({ steps: 2 });
    await window.training.free();
    return { error, finite: sample.every(Number.isFinite) };
  });
  assert.equal(error?.name, 'DivergedError');
  assert.match(error.message, /diverged at step \d+.*smaller learning rate/);
  assert.ok(finite);
});

test('files are arranged as the command line does it', async () => {
  /** @type {{ name: string, files: string[], labels?: 'folders' | 'prefix' | 'none', list?: string[], classes?: string[], pictures?: [number, number][], notes?: string[], error?: string }[]} */
  const cases = JSON.parse(readFileSync(new URL('../fixtures/arrangements.json', import.meta.url), 'utf8'));
  const arranged = await page.evaluate((cases) => Promise.all(cases.map(({ files, labels, list }) => window.pollen.arrangePictures(
    files.map((path) => Object.assign(new File([path === 'classes.json' ? JSON.stringify(list) : ''], path.split('/').at(-1) ?? ''), { path })), { labels },
  ).then((given) => ({ ...given, error: null }), ({ name, message }) => ({ pictures: [], classes: [], notes: [], error: `${name}: ${message}` })))), cases);
  assert.ok(cases.length >= 20);
  for (const [i, { name, classes, pictures, notes = [], error }] of cases.entries()) {
    const given = arranged[i];
    if (error) assert.ok(given.error?.startsWith('InputError: ') && given.error.includes(error), `${name}: ${given.error}`);
    else assert.deepEqual([given.error, given.classes, given.pictures.map(({ index, label }) => [index, label])], [null, classes, pictures], name);
    for (const note of notes) assert.ok(given.notes.some((sentence) => sentence.includes(note)), `${name}: ${given.notes.join(' | ')}`);
  }
});

test('what cannot be trained is refused with a sentence', async () => {
  const refused = (/** @type {any} */ options) => page.evaluate((options) => window.pollen.train({ ...options, pixels: new Uint8Array(options.bytes) }).then(() => null, ({ message }) => message), options);
  const size = { channels: 3, height: EDGE, width: EDGE, bytes: 3 * EDGE * EDGE };
  assert.match(await refused({ ...size, bytes: 100, config: TINY }), /100 bytes/);
  assert.match(await refused({ ...size, height: 4, bytes: 3 * 4 * EDGE, config: TINY }), /3×4×8.*3×8×8/);
  assert.match(await refused({ ...size, labels: [1], classes: ['a'], config: TINY }), /label from 0/);
  assert.match(await refused({ ...size, config: TINY, recipe: { rate: -1 } }), /learning rate is -1/);
  assert.match(await refused({ ...size, config: { ...TINY, num_class_embeds: 3 } }), /num_class_embeds = 3.*the pictures have no labels/);
  assert.match(await refused({ ...size, config: TINY, checkpoint: new Uint8Array(50) }), /checkpoint/);
});
