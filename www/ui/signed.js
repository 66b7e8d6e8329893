// Numbers as colours: light and amber above their mean, dark and teal below, so that lightness alone tells the two apart.
const ABOVE = [255, 214, 110], BELOW = [0, 34, 44], MEAN = [104, 112, 114]; // unet.css has them in its legend

/**
 * RGBA of values; the one farthest from the middle in full colour.
 * @param {ArrayLike<number>} values
 * @param {number} [middle] their mean where not given
 */
export function signed(values, middle = mean(values)) {
  const rgba = new Uint8ClampedArray(4 * values.length);
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] - middle));
  for (let i = 0; i < values.length; i++) {
    const off = values[i] - middle, share = Math.sqrt(Math.abs(off) / (most || 1)), end = off < 0 ? BELOW : ABOVE;
    for (let part = 0; part < 3; part++) rgba[4 * i + part] = MEAN[part] + share * (end[part] - MEAN[part]);
    rgba[4 * i + 3] = 255;
  }
  return rgba;
}

/** @param {ArrayLike<number>} values */
function mean(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
