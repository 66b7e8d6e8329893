// Of a training's own pictures, those nearest to what it makes: whether it has learned a picture by heart.

/**
 * @typedef {object} Pictures
 * @property {Uint8Array} pixels [N, channels, height, width]
 * @property {number} channels
 * @property {number} height
 * @property {number} width
 *
 * @typedef {{ rgba: Uint8ClampedArray, count: number, height: number, width: number }} Sample in a grid, ⌈√count⌉ a row
 * @typedef {{ height: number, width: number }} Size
 * @typedef {{ index: number, distance: number, mirror: boolean }} Found a picture's place, and the root mean square of the difference from it, of numbers from −1 to 1
 */

const TYPICAL = 16; // pictures whose own nearest are looked for

/**
 * The picture nearest to each of `sample`, of larger pictures their middle; `mirrored`, or its mirror image.
 * @param {Sample} sample
 * @param {Pictures} pictures
 * @param {boolean} mirrored
 * @param {() => Promise<void>} breathe
 */
export async function nearest({ rgba, count, height, width }, pictures, mirrored, breathe) {
  const across = Math.ceil(Math.sqrt(count)), planes = PLANES[pictures.channels], area = height * width;
  const grid = new Uint8ClampedArray(rgba.length), /** @type {number[]} */ indices = [], /** @type {number[]} */ distances = [];
  for (let i = 0; i < count; i++) {
    const column = i % across, row = Math.floor(i / across);
    /** Where a pixel of this picture stands in the grid. */
    const at = (/** @type {number} */ y, /** @type {number} */ x) => 4 * ((row * height + y) * across * width + column * width + x);
    const own = Uint8Array.from({ length: planes.length * area }, (_, k) => rgba[at(Math.floor((k % area) / width), k % width) + planes[Math.floor(k / area)]]);
    const { index, distance, mirror } = await search(own, { height, width }, pictures, -1, mirrored, breathe);
    indices.push(index);
    distances.push(distance);
    const found = middle(index, { height, width }, pictures);
    for (let k = 0; k < area; k++) {
      const x = k % width, to = at(Math.floor(k / width), mirror ? width - 1 - x : x);
      grid.set([255, 255, 255, 255], to);
      for (const [c, plane] of planes.entries()) grid[to + plane] = found[c * area + k];
      if (planes.length < 3) grid[to + 1] = grid[to + 2] = grid[to];
    }
  }
  return { rgba: grid, indices, distances };
}

/** Which of red, green, blue and alpha a picture's channels are. @type {Record<number, number[]>} */
const PLANES = { 1: [0], 2: [0, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3] };

/**
 * How far training pictures are from the nearest other one: the median of some of them; null for a single picture.
 * @param {Size} size of what the network makes
 * @param {Pictures} pictures
 * @param {boolean} mirrored
 * @param {() => Promise<void>} breathe
 */
export async function apart(size, pictures, mirrored, breathe) {
  const total = pictures.pixels.length / (pictures.channels * pictures.height * pictures.width), some = Math.min(total, TYPICAL);
  if (total < 2) return null;
  const distances = [];
  for (let i = 0; i < some; i++) {
    const index = Math.floor((i * total) / some);
    distances.push((await search(middle(index, size, pictures), size, pictures, index, mirrored, breathe)).distance);
  }
  return distances.sort((a, b) => a - b)[some >> 1];
}

/** The middle of a training picture. */
function middle(/** @type {number} */ index, /** @type {Size} */ { height, width }, /** @type {Pictures} */ { pixels, channels, height: rows, width: columns }) {
  const top = (rows - height) >> 1, left = (columns - width) >> 1;
  return Uint8Array.from({ length: channels * height * width }, (_, at) => {
    const plane = Math.floor(at / (height * width)), y = Math.floor(at / width) % height, x = at % width;
    return pixels[((index * channels + plane) * rows + top + y) * columns + left + x];
  });
}

/**
 * @param {Uint8Array} own
 * @param {Size} size
 * @param {Pictures} pictures
 * @param {number} except
 * @param {boolean} mirrored
 * @param {() => Promise<void>} breathe
 * @returns {Promise<Found>}
 */
async function search(own, { height, width }, { pixels, channels, height: rows, width: columns }, except, mirrored, breathe) {
  const total = pixels.length / (channels * rows * columns), top = (rows - height) >> 1, left = (columns - width) >> 1;
  let index = -1, least = Infinity, mirrors = false;
  for (let n = 0; n < total; n++) {
    if (n % 256 === 0) await breathe();
    if (n === except) continue;
    for (const mirror of mirrored ? [false, true] : [false]) {
      let sum = 0;
      for (let line = 0; line < channels * height && sum < least; line++) {
        const plane = Math.floor(line / height), from = ((n * channels + plane) * rows + top + (line % height)) * columns + left;
        for (let x = 0; x < width; x++) {
          const difference = own[line * width + x] - pixels[from + (mirror ? width - 1 - x : x)];
          sum += difference * difference;
        }
      }
      if (sum < least) [index, least, mirrors] = [n, sum, mirror];
    }
  }
  return { index, mirror: mirrors, distance: Math.sqrt(least / (channels * height * width)) / 127.5 };
}
