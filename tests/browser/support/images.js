// Pictures for the tests, made here so that every pixel is known.
import { crc32, deflateSync } from 'node:zlib';

/**
 * @param {string} type
 * @param {Uint8Array} data
 */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} bits
 * @param {number} colourType
 * @param {Uint8Array} scanlines
 */
function pngFile(width, height, bits, colourType, scanlines) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bits, colourType, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(scanlines)), chunk('IEND', Buffer.alloc(0))]);
}

/**
 * A PNG whose pixel at (x, y) is `colour(x, y)`: [r, g, b, a] in 0…255.
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => number[]} colour
 */
export function png(width, height, colour) {
  const rows = Buffer.alloc(height * (1 + 4 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(colour(x, y), y * (1 + 4 * width) + 1 + 4 * x);
  }
  return pngFile(width, height, 8, 6, rows);
}

/**
 * A valid black PNG of `side` × `side` pixels, one bit each.
 * @param {number} side
 */
export function hugePng(side) {
  return pngFile(side, side, 1, 0, Buffer.alloc(side * (1 + side / 8)));
}

/**
 * A JPEG of four flat quarters, as the browser encodes it.
 * @param {import('@playwright/test').Page} page
 * @param {number} width
 * @param {number} height
 * @param {string[]} quarters CSS colours: top left, top right, bottom left, bottom right
 */
export async function jpeg(page, width, height, quarters) {
  const base64 = await page.evaluate(async ([width, height, quarters]) => {
    const canvas = new OffscreenCanvas(width, height), context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    quarters.forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect((i % 2) * width / 2, Math.floor(i / 2) * height / 2, width / 2, height / 2);
    });
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  }, /** @type {const} */ ([width, height, quarters]));
  return Buffer.from(base64, 'base64');
}

/**
 * The same JPEG with an EXIF orientation, 1…8 (6: a viewer has to turn it a quarter clockwise).
 * @param {Buffer} jpegFile
 * @param {number} orientation
 */
export function withOrientation(jpegFile, orientation) {
  const tiff = Buffer.from('4d4d002a00000008' + '0001' + '0112' + '0003' + '00000001' + '00000000' + '00000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const payload = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(payload.length + 2, 2);
  return Buffer.concat([jpegFile.subarray(0, 2), head, payload, jpegFile.subarray(2)]);
}
