// A picture that the visitor chose, if it is whole: a browser shows one that is cut short as if nothing were wrong.
import { pollen } from '../api/pollen.js';
import { openPicture } from '../files/picture.js';
import { named } from '../ui/dom.js';
import { complain } from '../ui/runs.js';

const MEGABYTES = 512; // as natively

/**
 * The picture's middle square, as `openPicture` gives it. A damaged file is refused with a "DamagedError", unless it is to
 * be taken as it is.
 * @param {File} file
 * @param {boolean} [asItIs]
 */
export async function openWhole(file, asItIs = false) {
  const name = file.name ? `“${file.name}”` : 'The picture';
  if (file.size > MEGABYTES * 2 ** 20) throw new Error(`${name} has ${Math.round(file.size / 2 ** 20)} MB, more than the ${MEGABYTES} of the largest picture. Choose another.`);
  const damage = asItIs ? null : await pollen.pictureDamage(file);
  if (!damage) return openPicture(file);
  throw Object.assign(new Error(`${name} ${damage}. Choose a whole one, or use what is there of it.`), { name: 'DamagedError' });
}

/**
 * Says what is wrong with a picture; a damaged one may be used all the same, which `use` does.
 * @param {unknown} error
 * @param {() => void} use
 */
export function refuse(error, use) {
  if (named(error).name === 'DamagedError') complain(error, ['Use it as it is', use]);
  else complain(error);
}
