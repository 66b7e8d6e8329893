/**
 * Each pixel as `scale` × `scale` of them.
 * @template {Uint8Array | Uint8ClampedArray} T
 * @param {T} pixels
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 * @param {number} bytes of a pixel
 * @returns {T}
 */
export function enlarge(pixels, width, height, scale, bytes) {
  if (scale === 1) return pixels;
  const row = width * scale * bytes, made = /** @type {T} */ (new /** @type {any} */ (pixels.constructor)(row * height * scale));
  for (let y = 0; y < height; y++) {
    const to = y * scale * row;
    for (let x = 0; x < width * scale; x++) {
      const from = (y * width + Math.floor(x / scale)) * bytes;
      for (let b = 0; b < bytes; b++) made[to + x * bytes + b] = pixels[from + b];
    }
    for (let copy = 1; copy < scale; copy++) made.copyWithin(to + copy * row, to, to + row);
  }
  return made;
}

/**
 * RGBA pictures of one size side by side.
 * @param {Uint8ClampedArray[]} pictures
 * @param {number} width of one
 * @param {number} height
 */
export function inRow(pictures, width, height) {
  if (pictures.length === 1) return pictures[0];
  const row = new Uint8ClampedArray(4 * width * height * pictures.length);
  for (let y = 0; y < height; y++) {
    for (const [i, rgba] of pictures.entries()) row.set(rgba.subarray(4 * y * width, 4 * (y + 1) * width), 4 * (y * pictures.length + i) * width);
  }
  return row;
}
