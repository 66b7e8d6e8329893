// What a network computes on the way, as the API gives it: the same on a GPU, through the browser's compiler, as on the processor.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { ready } from './support/page.js';
import { openFiles, smallModel } from './support/small.js';

test('every operation of a small network on both devices; what is not there is said', async ({ open }) => {
  const page = await open();
  await ready(page);
  const inside = async () => {
    await openFiles(page, smallModel());
    return page.evaluate(async () => {
      const { pollen } = window, shape = [1, 3, 16, 16];
      await pollen.ready;
      const sample = await pollen.randn({ seed: 3, shape }), all = await pollen.operations({ shape });
      const operations = all.flatMap(({ operation }, place) => (operation === 'embedding' ? [] : [place]));
      const found = await pollen.activations({ sample, shape, timestep: 300, operations, whole: true });
      const { prediction } = await pollen.predict({ sample, shape: [1, 3, 16, 16], timestep: 300 });
      const last = found[found.length - 1].values ?? [];
      const wrong = [{ operations: [all.length] }, { sample: new Float32Array(5) }].map((one) => pollen.activations({ sample, shape, timestep: 5, operations: [0], ...one }));
      const refused = await Promise.all([...wrong, pollen.tensor('conv_in.wait')].map((one) => one.then(() => 'nothing', ({ message }) => message)));
      return {
        device: pollen.adapter?.device, kinds: all.map(({ operation }) => operation), refused,
        whole: Math.max(...prediction.map((value, i) => Math.abs(value - last[i]))),
        results: found.map(({ operation, values, deviation, mean, channel, picture }) => ({ operation, values: [...values ?? []], deviation, mean, channel, picture: [...picture] })),
      };
    });
  };
  const gpu = await inside();
  await page.evaluate(() => window.pollen.restart({ device: 'cpu' }));
  const cpu = await inside();
  assert.deepEqual([gpu.device, cpu.device], ['gpu', 'cpu']);
  assert.ok(gpu.results.length > 60, String(gpu.results.length));
  for (const { whole } of [gpu, cpu]) assert.ok(whole < 1e-5, `${whole}`);
  for (const [i, { operation, values, deviation, mean, channel, picture }] of gpu.results.entries()) {
    const other = cpu.results[i], off = Math.max(...values.map((value, at) => Math.abs(value - other.values[at])));
    assert.ok(off <= 1e-4 * Math.max(deviation, 1e-3), `${gpu.kinds[operation]} ${operation}: ${off} where the values spread over ${deviation}`);
    assert.ok(Math.abs(mean - values.reduce((sum, value) => sum + value, 0) / values.length) <= 1e-5 * Math.max(1, Math.abs(mean)), `mean of ${operation}`);
    assert.deepEqual(picture, values.slice(channel * picture.length, (channel + 1) * picture.length));
  }
  for (const [i, sentence] of [/no operation \d+; the network has 0 to/, /the sample has 5 numbers/, /no tensor named conv_in\.wait/].entries()) assert.match(gpu.refused[i], sentence);
  assertFaultless(page);
});
