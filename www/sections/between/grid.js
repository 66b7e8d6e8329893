// Seeds and guidances side by side: a table with a picture for each pair, as Generate makes it.
import { pollen } from '../../api/pollen.js';
import { $, fields, make, touch } from '../../ui/dom.js';
import { counted, seconds } from '../../ui/numbers.js';
import { adapterName, busy, complain, number, run, say } from '../../ui/runs.js';
import { chosen, load } from '../models/shelf.js';
import { field as reverse, forEngine, form, guidable, read } from '../reverse/fields.js';
import { row } from './row.js';
import { makers, takeLine } from './take.js';

/** @import { Taken } from './take.js' */

const MOST = 6; // guidances
const field = fields('grid-form');

export function startGrid() {
  makers.table = { form: 'grid-form', press: 'Fill the table', again: begin };
  $('grid-form').addEventListener('submit', (event) => { event.preventDefault(); begin(); });
  form.addEventListener('offered', follow);
  follow();
}

/** Without a class there is nothing to lead towards. */
function follow() {
  field.guidances.disabled = !guidable();
  $('b-guidances-hint').hidden = guidable();
}

/** The guidances that the field lists, [undefined] without a class, or an error whose sentence says how to write them. */
function guidances() {
  if (!guidable()) return [undefined];
  const all = field.guidances.value.split(/[\s,;]+/).filter(Boolean).map(Number);
  const good = all.length > 0 && all.length <= MOST && all.every((one) => Number.isFinite(one) && one >= 0 && one <= 20);
  field.guidances.setAttribute('aria-invalid', String(!good));
  if (good) return all;
  field.guidances.focus();
  throw new Error(`The guidances must be one to ${counted(MOST, 'number')} from 0 to 20 with commas between them, such as 1, 2, 4.`);
}

/** @returns {Promise<Taken | undefined>} unless it stopped */
async function begin() {
  if (busy()) return undefined;
  /** @type {ReturnType<typeof read>} */ let options;
  /** @type {number} */ let columns;
  /** @type {(number | undefined)[]} */ let rows;
  try {
    [options, columns, rows] = [read(), number(field.columns), guidances()];
  } catch (error) { complain(error); return undefined; }
  /** @type {Uint8ClampedArray[]} */ const pictures = [];
  let size = { width: 0, height: 0 };
  const began = performance.now(), seeds = Array.from({ length: columns }, (_, i) => options.seed + i), total = rows.length * columns;
  const table = make('table', { className: 'seeds' }), head = table.createTHead().insertRow();
  head.append(make('td'), ...seeds.map((seed) => make('th', { scope: 'col', textContent: `Seed ${seed}` })));
  const done = await run(async (report) => {
    await load(report);
    let made = 0;
    for (const guidance of rows) {
      const line = table.insertRow();
      line.append(make('th', { scope: 'row', textContent: guidance === undefined ? 'No guidance' : `Guidance ${guidance}` }));
      for (const seed of seeds) {
        const { rgba, shape: [, , height, width] } = await pollen.generate({
          ...forEngine({ ...options, count: 1, seed, ...(guidance === undefined ? {} : { guidance }) }),
          onStep: ({ step, steps }) => report(made + step / steps, total, `Seeds and guidances, on ${adapterName()}.`, `picture ${made + 1} of ${total}`),
        });
        line.insertCell().append(taking(row(rgba, { count: 1, width, height }, () => '')[0], seed, guidance));
        pictures.push(rgba);
        size = { width, height };
        made++;
        if (made === 1) {
          $('b-grid').replaceChildren(table);
          $('b-grid').hidden = false;
        }
      }
    }
    return made;
  });
  if (!done) return undefined;
  /** @type {Taken} */
  const taken = {
    chain: 'table', what: 'the table of seeds and guidances', parts: ['table', options.model, `seed${options.seed}`, `${columns}x${rows.length}`], cells: pictures, columns, ...size,
    settings: { ...options, 'grid.columns': columns, 'grid.guidances': field.guidances.value }, entry: chosen(), files: pollen.files,
  };
  $('b-grid').append(takeLine(taken));
  say(`Done: ${counted(done, 'picture')} in ${seconds(performance.now() - began)} on ${adapterName()}. Press one for its settings.`);
  return taken;
}

/**
 * A picture that is pressed for its seed and guidance.
 * @param {HTMLCanvasElement} picture
 * @param {number} seed
 * @param {number | undefined} guidance
 */
function taking(picture, seed, guidance) {
  const button = make('button', { type: 'button' }), name = `seed ${seed}${guidance === undefined ? '' : `, guidance ${guidance}`}`;
  picture.removeAttribute('role');
  picture.removeAttribute('aria-label');
  button.setAttribute('aria-label', `Take ${name}`);
  button.append(picture);
  button.addEventListener('click', () => {
    for (const [input, value] of /** @type {const} */ ([[reverse.seed, seed], [reverse.guidance, guidance]])) {
      if (value === undefined) continue;
      input.value = String(value);
      touch(input);
    }
    say(`Part 2 has ${name} now: Generate makes that picture, with its film.`);
  });
  return button;
}
