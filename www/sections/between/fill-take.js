// What is done with a filling: saved, or linked to.
import { make } from '../../ui/dom.js';
import { complain } from '../../ui/runs.js';
import { copyLink } from '../reverse/link.js';
import { saveButton } from './take.js';

/**
 * @import { Taken } from './take.js'
 *
 * @typedef {Taken & { link: Record<string, string> | null }} Filling with the settings that are the picture's, where a link can carry it
 */

/** Characters of a mask in an address. */
export const LONGEST = 1000;

/**
 * What can be done with it.
 * @param {Filling} made
 */
export function buttonsOf(made) {
  const box = make('div', { className: 'with' }), button = make('button', { type: 'button', textContent: 'Copy link', ariaLabel: `Copy link: ${made.what}` });
  button.addEventListener('click', () => link(made).catch(complain));
  box.append(saveButton(made), button);
  return box;
}

function link(/** @type {Filling} */ { settings, link, given, entry }) {
  const { 'fill.mask': mask, ...others } = settings, long = String(mask).length > LONGEST;
  const lacks = [link ? '' : given?.name, long ? 'the mask, which is too long for one' : '', entry?.from === 'site' ? '' : entry?.title].filter(Boolean);
  const gets = lacks.length ? `It does not carry ${lacks.join(' and ')}, only the settings. The PNG that is saved carries the picture and the mask.` : 'Whoever opens it and presses “Fill it in” gets the same picture.';
  return copyLink({ ...others, ...link, ...(long ? {} : { 'fill.mask': mask }) }, gets);
}
