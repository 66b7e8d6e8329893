// The processor's products by relaxed SIMD, a module of its own, and without it.
import assert from 'node:assert/strict';
import { assertFaultless, test } from './support/harness.js';
import { predicted } from './support/small-network.js';

test.use({ gpu: false });
const MODULE = '**/wasm/relaxed.wasm';
const has = (/** @type {import('@playwright/test').Page} */ page) => page.workers()[0].evaluate(() => typeof Reflect.get(globalThis, 'pollenSums') === 'function');

test('the module by itself: sums of products in the memory that it is given, of which it takes nothing', async ({ open }) => {
  const page = await open();
  const found = await page.evaluate(async () => {
    const code = await WebAssembly.compile(await (await fetch('wasm/relaxed.wasm')).arrayBuffer());
    const memory = new WebAssembly.Memory({ initial: 32 }), { exports } = await WebAssembly.instantiate(code, { env: { memory } });
    const sums = /** @type {(tile: number, vectors: number) => void} */ (exports.sums);
    const words = new Uint32Array(memory.buffer), numbers = new Float32Array(memory.buffer), used = words.filter((word) => word).length;
    let worst = 0, sizes = 0, strayed = 0;
    const TOGETHER = 6, [TILE, STEPS, A, B, Y] = [0, 1024, 8192, 65_536, 200_000], random = () => Math.fround(Math.random() - 0.5); // in words
    for (const rows of [1, 5, 6, 7, 13]) for (const count of [1, 2, 7, 256]) for (const vectors of [1, 2]) {
      const panel = TOGETHER * count + 16, row = 4 * vectors + 3, columns = 4 * vectors;
      for (let at = A; at < Y + 1000; at++) numbers[at] = random();
      for (let k = 0; k < count; k++) words.set([k, 5 * k + 1], STEPS + 2 * k);
      words.set([4 * STEPS, count, 4 * A, panel, 4 * B, 4 * Y, row, rows], TILE);
      const before = numbers.slice(Y, Y + 1000);
      sums(4 * TILE, vectors);
      for (let r = 0; r < rows; r++) for (let n = 0; n < columns; n++) {
        let sum = before[r * row + n];
        for (let k = 0; k < count; k++) sum += numbers[A + Math.floor(r / TOGETHER) * panel + TOGETHER * k + (r % TOGETHER)] * numbers[B + 5 * k + 1 + n];
        worst = Math.max(worst, Math.abs(sum - numbers[Y + r * row + n]));
        before[r * row + n] = numbers[Y + r * row + n];
      }
      strayed += before.filter((x, i) => x !== numbers[Y + i]).length;
      sizes++;
    }
    return { used, worst, strayed, sizes, imports: WebAssembly.Module.imports(code).length };
  });
  assert.deepEqual({ ...found, worst: 0 }, { used: 0, worst: 0, strayed: 0, sizes: 40, imports: 1 });
  assert.ok(found.worst < 1e-5, String(found.worst));
});

test('with it and without it the processor predicts what PyTorch predicts; without it nothing is said', async ({ open }) => {
  const page = await open();
  /** @type {string[]} */ const said = [];
  const unknown = Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, 99, 0]); // a section that no browser has
  const older = await open({ serve: { [MODULE]: (route) => route.fulfill({ contentType: 'application/wasm', body: unknown }) } });
  older.on('console', (message) => { if (message.type() === 'warning' && message.text().includes('wasm')) said.push(message.text()); });
  const [now, before] = [await predicted(page), await predicted(older)];
  assert.deepEqual([await has(page), await has(older)], [true, false]);
  assert.notDeepEqual(now, before); // or it makes no difference
  assert.deepEqual(said, []);
  assertFaultless(page);
  assertFaultless(older);
});

test('a folder without it is named, and the page works', async ({ open }) => {
  const page = await open({ blank: true, serve: { [MODULE]: (route) => route.fulfill({ status: 404 }) } });
  const warned = page.waitForEvent('console', (message) => message.type() === 'warning');
  await page.goto(new URL('?device=cpu', process.env.POLLEN_URL).href);
  assert.match((await warned).text(), /wasm\/relaxed\.wasm could not be used \(it was answered with 404\).*publish the whole folder wasm\//);
  await predicted(page);
});
