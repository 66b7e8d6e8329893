// The U: each block as what comes out of it, level by level, the way down on the left and the way up on the right.
import { make } from '../../ui/dom.js';
import { drawGrid } from '../../ui/canvas.js';
import { counted } from '../../ui/numbers.js';
import { signed } from '../../ui/signed.js';

/**
 * @import { Activation, NetworkOperation } from '../../api/types.js'
 * @import { Block, Diagram } from './blocks.js'
 * @typedef {(block: Block) => void} Choose
 */

/** The operation whose result is the block's. */
export const lastOf = (/** @type {Block} */ { operations }) => operations[operations.length - 1];

/**
 * A button that shows a result in small; `more` is said to those who do not see it, after the text.
 * @param {string} text
 * @param {string} more
 * @param {NetworkOperation} operation
 */
export function tile(text, more, { shape: [, height, width] }) {
  const button = make('button', { type: 'button', className: 'tile' }), canvas = make('canvas', { width, height });
  if (height * width > 1) button.append(canvas);
  button.append(make('span', { textContent: text }));
  button.setAttribute('aria-label', text + more);
  return button;
}

/** The shape of a result in words. */
export const shapeOf = (/** @type {NetworkOperation} */ { shape: [channels, height, width] }) => (height * width > 1 ? `${counted(channels, 'channel')} of ${height}×${width}` : counted(channels, 'number'));

/**
 * Draws the channel that varies most.
 * @param {HTMLButtonElement} button
 * @param {Activation} result
 * @param {NetworkOperation} operation
 */
export function fillTile(button, { picture }, { shape: [, height, width] }) {
  const canvas = button.querySelector('canvas');
  if (canvas) drawGrid(canvas, signed(picture), { width, height });
}

/**
 * The whole network in `host`; gives the button of each block.
 * @param {HTMLElement} host
 * @param {Diagram} network
 * @param {NetworkOperation[]} all
 * @param {Choose} choose
 */
export function drawNetwork(host, { levels, time }, all, choose) {
  /** @type {Map<Block, HTMLButtonElement>} */ const buttons = new Map();
  const button = (/** @type {Block} */ block) => {
    const [channels, height, width] = all[lastOf(block)].shape, image = height * width > 1;
    const made = image ? tile(`${short(block)} ${channels}`, ` channels of ${height}×${width}, ${block.name}`, all[lastOf(block)]) : tile(`${short(block)}: ${counted(channels, 'number')}`, '', all[lastOf(block)]);
    made.addEventListener('click', () => choose(block));
    buttons.set(block, made);
    return made;
  };
  const side = (/** @type {Block[]} */ blocks, /** @type {string} */ name) => {
    const box = make('div', { className: name });
    box.append(...blocks.map(button));
    return box;
  };
  const rows = levels.map(({ size, down, up }) => {
    const row = make('div', { className: up.length ? 'level' : 'level middle' });
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', up.length ? `Level of ${size}: on the way down, then on the way up` : `The middle, ${size}`);
    row.append(side(down, 'down'));
    if (up.length) row.append(make('span', { className: 'across', textContent: size }), side(up, 'up'));
    else row.prepend(make('span', { className: 'size', textContent: `the middle, ${size}` }));
    return row;
  });
  const beside = make('div', { className: 'level time' });
  beside.append(...time.map(button));
  host.replaceChildren(beside, ...rows);
  return buttons;
}

/** @param {Block} block */
const short = ({ name, title }) => (name === 'conv_in' ? 'in' : name === 'conv_out' ? 'out' : name === 'time' ? 't and class' : title === 'attention' ? 'attention' : title === 'residual block' ? 'block' : title);
