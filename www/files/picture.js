// The visitor's picture: any format the browser decodes → [C, H, W] in [−1, 1].

const MEGAPIXELS = 100;

/** @typedef {ImageBitmap | HTMLImageElement} Decoded */

/** @type {WeakMap<HTMLCanvasElement, { width: number, height: number }>} what the pictures measure whose middle squares these are */
export const sizes = new WeakMap();

/**
 * A decoded picture that gives its middle square at any size. The message of what it throws is a sentence.
 * @param {File} file
 */
export async function openPicture(file) {
  const name = file.name ? `“${file.name}”` : 'The picture';
  if (file.size === 0) throw new Error(`${name} is empty: it has no bytes. Choose another picture.`);
  const head = new DataView(await file.slice(0, 1 << 18).arrayBuffer());
  const size = dimensions(head);
  if (size) refuseHuge(name, size.width, size.height); // before the browser allocates them
  const source = await decode(file).catch(() => {
    throw new Error(`${name} is not a picture that this browser can read. Choose a PNG, JPEG, WebP, GIF or another picture file.`);
  });
  const [width, height] = 'naturalWidth' in source ? [source.naturalWidth, source.naturalHeight] : [source.width, source.height];
  if (!width || !height) throw new Error(`${name} says nothing about its size in pixels. Save it as a PNG and choose that.`);
  refuseHuge(name, width, height);
  const square = shrink(source, width, height);
  sizes.set(square, { width, height });
  return square;
}

/**
 * @param {string} name
 * @param {number} width
 * @param {number} height
 */
function refuseHuge(name, width, height) {
  if (width * height > MEGAPIXELS * 1e6) {
    throw new Error(`${name} is ${width} × ${height} pixels, ${Math.round((width * height) / 1e6)} megapixels; the limit is ${MEGAPIXELS}. Scale it down first.`);
  }
}

/**
 * @param {File} file
 * @returns {Promise<Decoded>}
 */
async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    const image = new Image(); // decodes what createImageBitmap does not, SVG above all
    image.src = URL.createObjectURL(file);
    try { await image.decode(); } finally { URL.revokeObjectURL(image.src); }
    return image;
  }
}

/**
 * The middle square with its transparency, halved until it is small: a picture of 100 megapixels is let go of at once.
 * @param {Decoded} source
 * @param {number} width
 * @param {number} height
 */
function shrink(source, width, height) {
  const side = Math.min(width, height);
  let edge = Math.min(side, 1024);
  while (side / edge > 2 && edge < side) edge = Math.min(side, edge * 2);
  let square = canvas(edge);
  square.imageSmoothingQuality = 'high';
  square.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, edge, edge);
  if ('close' in source) source.close();
  while (edge > 1024) square = halve(square);
  return square.canvas;

  function halve(/** @type {CanvasRenderingContext2D} */ from) {
    const to = canvas(Math.ceil(edge / 2));
    to.imageSmoothingQuality = 'high';
    to.drawImage(from.canvas, 0, 0, to.canvas.width, to.canvas.width);
    edge = to.canvas.width;
    return to;
  }
}

/** @param {number} edge */
function canvas(edge) {
  const made = Object.assign(document.createElement('canvas'), { width: edge, height: edge });
  return /** @type {CanvasRenderingContext2D} */ (made.getContext('2d', { willReadFrequently: true }));
}

/**
 * x_0: the square at `size` × `size`, planar, in [−1, 1]: grey (ITU-R 601 luma) or colour, over white, or with alpha as the last
 * channel, the colours not multiplied by it. As src/picture/decode.rs has it.
 * @param {HTMLCanvasElement} square
 * @param {number} size
 * @param {number} channels 1 or 3, 2 or 4 with alpha
 */
export function pixels(square, size, channels) {
  const from = halved(square, size), small = canvas(size), clear = channels % 2 === 0, colours = channels < 3 ? 1 : 3;
  small.imageSmoothingQuality = 'high';
  if (!clear) {
    small.fillStyle = '#fff';
    small.fillRect(0, 0, size, size);
  }
  small.drawImage(from, 0, 0, size, size);
  const { data } = small.getImageData(0, 0, size, size);
  const area = size * size;
  const image = new Float32Array(channels * area);
  for (let i = 0; i < area; i++) {
    const [r, g, b, alpha] = data.subarray(4 * i, 4 * i + 4), seen = alpha ? [r, g, b] : [255, 255, 255];
    const values = colours === 1 ? [Math.round(0.299 * seen[0] + 0.587 * seen[1] + 0.114 * seen[2])] : seen;
    if (clear) values[colours] = alpha;
    values.forEach((value, channel) => { image[channel * area + i] = value / 127.5 - 1; });
  }
  return image;
}

/**
 * What there is in a picture at `size` × `size`: a pixel that is not grey, one that is not opaque. src/picture/fit.rs has the same rule.
 * @param {HTMLCanvasElement} square
 * @param {number} size
 */
export function seen(square, size) {
  const small = canvas(size);
  small.imageSmoothingQuality = 'high';
  small.drawImage(halved(square, size), 0, 0, size, size);
  const { data } = small.getImageData(0, 0, size, size);
  let colour = false, clear = false;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b, alpha] = data.subarray(i, i + 4);
    clear ||= alpha < 255;
    colour ||= (Math.max(r, g, b) - Math.min(r, g, b)) * alpha > 255;
  }
  return { colour, clear };
}

/**
 * @param {HTMLCanvasElement} from
 * @param {number} size of which it is to be at most twice
 */
export function halved(from, size) {
  while (from.width > 2 * size) {
    const half = canvas(Math.ceil(from.width / 2));
    half.drawImage(from, 0, 0, half.canvas.width, half.canvas.width);
    from = half.canvas;
  }
  return from;
}

/**
 * The picture as the network of `model` takes it.
 * @param {HTMLCanvasElement} square
 * @param {{ channels: number, height: number, width: number }} model
 */
export function asNetwork(square, { channels, height, width }) {
  if (height !== width || ![1, 2, 3, 4].includes(channels)) {
    throw new Error(`The network takes ${width} × ${height} pictures of ${channels} channels; only square ones, grey or in colour, with or without transparency, can be made of yours.`);
  }
  return pixels(square, width, channels);
}

/**
 * RGBA bytes of a planar image in [−1, 1], for showing x_0 before any run.
 * @param {Float32Array} image
 * @param {number} size
 * @param {number} channels
 */
export function toBytes(image, size, channels) {
  const area = size * size, rgba = new Uint8ClampedArray(4 * area).fill(255);
  const planes = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  if (channels % 2 === 0) planes.push(channels - 1);
  planes.forEach((plane, c) => { for (let i = 0; i < area; i++) rgba[4 * i + c] = (image[plane * area + i] + 1) * 127.5; });
  return rgba;
}

/**
 * Width and height as the file's header states them; null for a format not known here.
 * @param {DataView} view
 */
export function dimensions(view) {
  const at = (/** @type {number} */ offset, /** @type {string} */ text) => offset + text.length <= view.byteLength && [...text].every((c, i) => view.getUint8(offset + i) === c.charCodeAt(0));
  try {
    if (at(0, '\x89PNG')) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (at(0, 'GIF8')) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    if (at(0, 'BM')) return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
    if (at(0, '\xff\xd8')) return jpeg(view);
    if (at(0, 'RIFF') && at(8, 'WEBP')) return webp(view, at);
    for (let i = 0; i < Math.min(view.byteLength - 12, 4096); i++) {
      if (at(i, 'ispe')) return { width: view.getUint32(i + 8), height: view.getUint32(i + 12) }; // AVIF, HEIC
    }
  } catch { /* a header cut short: the decoder has the last word */ }
  return null;
}

/** @param {DataView} view */
function jpeg(view) {
  for (let at = 2; at + 9 < view.byteLength;) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return null;
    if (marker === 0xff) { at += 1; continue; } // fill byte
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/**
 * @param {DataView} view
 * @param {(offset: number, text: string) => boolean} at
 */
function webp(view, at) {
  if (at(12, 'VP8X')) return { width: 1 + (view.getUint32(24, true) & 0xffffff), height: 1 + (view.getUint32(27, true) & 0xffffff) };
  if (at(12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}
