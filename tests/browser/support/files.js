// Files that the page saves, and that it is given back.
import { readFileSync } from 'node:fs';
import { textOf } from '../../../www/files/chunks.js';
import { button } from './page.js';

/** @import { Page } from '@playwright/test' */

/**
 * What pressing a button saves.
 * @param {Page} from
 * @param {string} name
 */
export async function saved(from, name) {
  const [download] = await Promise.all([from.waitForEvent('download'), button(from, name).click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Drops a file on an element of the page. */
export async function drop(/** @type {Page} */ on, /** @type {{ name: string, bytes: Buffer }} */ { name, bytes }, selector = 'body') {
  await on.evaluate(([name, bytes, selector]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
    document.querySelector(selector)?.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, /** @type {const} */ ([name, [...bytes], selector]));
}

export const settingsIn = (/** @type {Buffer} */ bytes) => JSON.parse(textOf(bytes, 'pollen') ?? '');
