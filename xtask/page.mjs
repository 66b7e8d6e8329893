// What is made of the page's files before they are served: node xtask/page.mjs FOLDER. Into fonts/ go its faces, cut down to what it
// can show; scripts and styles lose comments, spaces and long names of what is their own, file by file, which halves them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import subset from 'subset-font';

const folder = process.argv[2];
const between = (/** @type {number} */ first, /** @type {number} */ last) => Array.from({ length: last - first + 1 }, (_, i) => String.fromCodePoint(first + i)).join('');

/** All characters of the page's texts, and ASCII: names of files and what people type. */
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => !name.startsWith('vendor')).map((name) => join(folder, name));
const texts = files.filter((name) => /\.(html|js)$/.test(name)).map((name) => readFileSync(name, 'utf8'));
const shown = [...new Set(texts.join(''))].join('') + between(0x20, 0x7e);
/** What MathML makes of a letter that stands alone: mathematical italics, Latin and small Greek. */
const italics = `ℎ${between(0x1d434, 0x1d467)}${between(0x1d6fc, 0x1d71b)}`;

/** @type {Record<string, { from: string, axes?: object, text?: string }>} */
const FACES = {
  text: { from: '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2', axes: { wght: { min: 400, max: 700 } } },
  serif: { from: '@fontsource-variable/stix-two-text/files/stix-two-text-latin-wght-normal.woff2', axes: { wght: { min: 400, max: 700 } } },
  italic: { from: '@fontsource-variable/stix-two-text/files/stix-two-text-latin-wght-italic.woff2', axes: { wght: 400 } },
  'italic-greek': { from: '@fontsource-variable/stix-two-text/files/stix-two-text-greek-wght-italic.woff2', axes: { wght: 400 } },
  maths: { from: '@fontsource/stix-two-math/files/stix-two-math-latin-400-normal.woff2', text: italics },
};

mkdirSync(join(folder, 'fonts'), { recursive: true });
for (const [name, { from, axes, text = '' }] of Object.entries(FACES)) {
  const cut = await subset(readFileSync(join('node_modules', from)), shown + text, { targetFormat: 'woff2', variationAxes: axes });
  writeFileSync(join(folder, 'fonts', `${name}.woff2`), cut);
}

await build({ entryPoints: files.filter((name) => /\.(js|css)$/.test(name)), outdir: folder, outbase: folder, allowOverwrite: true, bundle: false, minify: true, charset: 'utf8', logLevel: 'warning' });
