// What is done to pictures, what they have that the network has not, and the reverse, in the sentences of src/train/data/pictures.rs.

const NAMED = 20;

/**
 * @param {{ width: number, height: number }[]} pictures
 * @param {number} edge
 * @returns {string[]}
 */
export function sizeNotes(pictures, edge) {
  const others = pictures.filter(({ width, height }) => width !== edge || height !== edge), cropped = others.filter(({ width, height }) => width !== height).length;
  if (!others.length) return [];
  others.sort((a, b) => a.width * a.height - b.width * b.height || a.height - b.height);
  const [small, large] = [others[0], others[others.length - 1]].map(({ width, height }) => `${width}×${height}`);
  const how = !cropped ? 'resized' : cropped === others.length ? 'cropped around the middle and resized' : `resized, ${cropped} of them cropped around the middle`;
  return [`${some(others.length, pictures.length)} ${others.length === 1 ? 'is' : 'are'} not of ${edge}×${edge} but of ${small}${small === large ? '' : ` to ${large}`}: ${how}`];
}

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
