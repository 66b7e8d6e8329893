// Whether a well-known checkpoint gives, on this machine, the numbers that are published for it.

/**
 * Compares the network's first outputs with those of every known checkpoint of its shape. `state` is "passed" (which
 * `checkpoint`), "failed" (none of them; `checkpoint` is the nearest and `difference` how far it is) or "unknown".
 * @param {import('./types.js').Pollen} pollen
 * @returns {Promise<import('./types.js').SelfTest>}
 */
export async function selfTest(pollen) {
  const answer = await fetch(new URL('../known.json', import.meta.url));
  if (!answer.ok) throw new Error(`The table of known numbers, known.json, could not be fetched: the server answered ${answer.status}.`);
  /** @type {{ seed: number, timestep: number, tolerance: number, checkpoints: { name: string, parameters: number, channels: number, size: number, logits: number[] }[] }} */
  const { seed, timestep, tolerance, checkpoints } = await answer.json();
  if (!pollen.model) throw new Error('No model is loaded; call loadModel first.');
  const { parameters, channels, height, width, classes } = pollen.model;
  const alike = checkpoints.filter((row) => !classes && row.parameters === parameters && row.channels === channels && row.size === height && row.size === width);
  if (!alike.length) return { state: 'unknown', checkpoint: null, difference: null };
  /** @type {import('./types.js').Shape} */
  const shape = [1, channels, height, width];
  const { prediction } = await pollen.predict({ sample: await pollen.randn({ seed, shape }), shape, timestep });
  const rows = alike.map(({ name, logits }) => ({ name, difference: distance(logits, prediction) }));
  const nearest = rows.reduce((best, row) => (row.difference < best.difference ? row : best));
  return { state: nearest.difference <= tolerance ? 'passed' : 'failed', checkpoint: nearest.name, difference: nearest.difference };
}

/**
 * The largest difference; infinite where a number is none.
 * @param {number[]} expected
 * @param {Float32Array} found
 */
function distance(expected, found) {
  const all = expected.map((value, i) => Math.abs(value - found[i]));
  return all.every(Number.isFinite) ? Math.max(...all) : Infinity;
}
