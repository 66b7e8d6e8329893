// Relaxed SIMD, whose multiply-adds round once and take half the instructions. A browser without it refuses a module that mentions it,
// so that the loop which has them is a module of its own, in the memory of the engine's.

/**
 * Gives `globalThis.pollenSums` where the browser has relaxed SIMD; whether it does.
 * @param {WebAssembly.Memory} memory the engine's
 */
export async function relaxed(memory) {
  const address = new URL('../wasm/relaxed.wasm', import.meta.url);
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw Error(`it was answered with ${answer.status}`);
    const code = await answer.arrayBuffer();
    if (!WebAssembly.validate(code)) return false;
    const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
    Object.assign(globalThis, { pollenSums: instance.exports.sums });
    return true;
  } catch (error) {
    console.warn(`${address} could not be used (${/** @type {Error} */ (error).message}), so the processor takes longer; publish the whole folder wasm/.`);
    return false;
  }
}
