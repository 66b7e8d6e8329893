// What pictures have that the network has not, and the reverse, in the sentences of src/train/data/pictures.rs.

const NAMED = 20;

/**
 * @param {{ colour: boolean, clear: boolean }[]} pictures
 * @param {number} channels
 * @returns {string[]}
 */
export function channelNotes(pictures, channels) {
  const total = pictures.length, colour = pictures.filter((of) => of.colour).length, clear = pictures.filter((of) => of.clear).length;
  const said = (/** @type {number} */ count, /** @type {string} */ what) => (count ? [`${some(count, total)} ${count === 1 ? 'is' : 'are'} ${what}`] : []);
  return [
    ...(channels > 2 ? said(total - colour, 'grey, and the network has colour: its three are the same') : said(colour, 'in colour, and the network has none: made grey')),
    ...(channels % 2 === 0 ? said(total - clear, 'opaque, and the network has alpha: 1 everywhere') : said(clear, 'partly transparent, and the network has no alpha: put over white')),
  ];
}

/**
 * @param {[string, number][]} several files with how many pictures each has
 * @param {number} total
 * @returns {string[]}
 */
export function frameNotes(several, total) {
  const named = several.slice(0, NAMED).map(([name, count]) => `${name} (${count})`).join(', '), more = several.length - NAMED;
  return several.length ? [`${some(several.length, total)} ${several.length === 1 ? 'has' : 'have'} several frames or pages, of which the first alone is taken: ${named}${more > 0 ? ` and ${more} more` : ''}`] : [];
}

const some = (/** @type {number} */ count, /** @type {number} */ total) => `${count} of ${total === 1 ? '1 picture' : `${total} pictures`}`;
