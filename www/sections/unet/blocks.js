// A network's operations as its diagram has them: blocks, on levels, down one side of the U and up the other.

/**
 * @import { NetworkOperation } from '../../api/types.js'
 *
 * @typedef {object} Block
 * @property {string} name as the checkpoint's tensors begin
 * @property {string} title in words
 * @property {number[]} operations their places, in order
 *
 * @typedef {{ size: string, down: Block[], up: Block[] }} Level of pictures of one size
 * @typedef {{ levels: Level[], time: Block[] }} Diagram the widest level first, the middle of the U last
 */

const BLOCK = /^(?:(?:down|up)_blocks\.\d+\.\w+\.\d+|mid_block\.\w+\.\d+|conv_in|conv_(?:norm_)?out)/;
const LAYER = /\.(?:weight|bias)$/;
const FUNCTIONS = ['', 'SiLU', 'Mish', 'GELU', 'ReLU'];

/** The block that a layer or a tensor belongs to. */
export const blockOf = (/** @type {string} */ layer) => (layer.includes('time_emb_proj') ? 'time' : BLOCK.exec(layer)?.[0].replace('conv_norm_out', 'conv_out') ?? 'time');

/** The layer whose tensors an operation reads, or nothing. */
const layerOf = (/** @type {NetworkOperation} */ { tensors: [first] }) => first?.replace(LAYER, '') ?? '';

/**
 * Each operation's block: by the tensors that it reads, else that of what it changes; what only moves numbers belongs to its reader.
 * @param {NetworkOperation[]} all
 */
function blockNames(all) {
  const names = all.map((operation) => {
    const layer = layerOf(operation);
    return layer && blockOf(layer);
  });
  const moves = ['concat', 'upsample', 'pool', 'scale_offset'];
  for (const [place, { operation, inputs }] of all.entries()) {
    const changed = operation === 'affine' && names[inputs[1]] ? inputs[1] : inputs[0]; // a normalisation is its statistics'
    if (!names[place] && inputs.length && !moves.includes(operation)) names[place] = names[changed];
  }
  for (let place = all.length; place--;) {
    if (names[place] || all[place].operation === 'input') continue;
    const reader = all.findIndex(({ inputs }) => inputs.includes(place));
    names[place] = names[reader] ?? '';
  }
  // An activation after a pool, say, whose block was not known the first time.
  for (const [place, { inputs }] of all.entries()) names[place] ||= inputs.length ? names[inputs[0]] : '';
  return names;
}

/** @param {string} name */
export function titleOf(name) {
  if (name === 'conv_in') return 'first convolution';
  if (name === 'conv_out') return 'last convolution';
  if (name === 'time') return 'the timestep and the class, as a vector';
  if (/downsamplers/.test(name)) return 'halved';
  if (/upsamplers/.test(name)) return 'doubled';
  return /attentions/.test(name) ? 'attention' : 'residual block';
}

/**
 * @param {NetworkOperation[]} all
 * @returns {Diagram}
 */
export function diagram(all) {
  /** @type {Map<string, Block>} */ const blocks = new Map();
  for (const [place, name] of blockNames(all).entries()) {
    if (!name) continue;
    const block = blocks.get(name) ?? { name, title: titleOf(name), operations: [] };
    block.operations.push(place);
    blocks.set(name, block);
  }
  const number = (/** @type {string} */ name) => Number(/^(?:down|up)_blocks\.(\d+)/.exec(name)?.[1] ?? -1);
  const last = Math.max(...[...blocks.keys()].map(number), 0);
  /** @type {Level[]} */ const levels = Array.from({ length: last + 2 }, () => ({ size: '', down: [], up: [] }));
  const time = [];
  for (const block of blocks.values()) {
    const { name, operations } = block, [, h, w] = all[operations[operations.length - 1]].shape;
    if (name === 'time') { time.push(block); continue; }
    const level = name === 'conv_in' || name === 'conv_out' ? levels[0] : name.startsWith('mid') ? levels[last + 1] : levels[name.startsWith('down') ? number(name) : last - number(name)];
    (/^(?:down|conv_in|mid)/.test(name) ? level.down : level.up).push(block);
    level.size ||= `${h}×${w}`;
  }
  // The last block of all belongs at the end of the way up.
  return { levels: levels.filter(({ down, up }) => down.length + up.length), time };
}

/**
 * An operation in a word or two; the statistics of a normalisation have none of their own, they are part of it.
 * @param {NetworkOperation[]} all
 * @param {number} place
 */
export function nameOf(all, place) {
  const one = all[place], layer = layerOf(one).split('.').pop() ?? '';
  switch (one.operation) {
    case 'conv2d': case 'linear': {
      if (layer === 'to_q' || layer === 'query') return 'queries, keys, values';
      if (layer === 'time_emb_proj') return 'the time for every block';
      const kernel = one.numbers.kernel;
      return { conv_shortcut: 'shortcut', 0: 'mixed', proj_attn: 'mixed', conv: 'convolution', linear_1: 'first layer', linear_2: 'second layer' }[layer] ?? `${layer}${kernel ? `, ${kernel}×${kernel}` : ''}`;
    }
    case 'affine': return 'normalised';
    case 'activation': return FUNCTIONS[one.numbers.function];
    case 'add_channels': return 'plus the time';
    case 'add': return all[one.inputs[1]].operation === 'embedding' ? 'plus the class' : 'plus what came in';
    case 'concat': return 'joined with the way down';
    case 'attention': return 'attention';
    case 'upsample': return 'enlarged';
    case 'pool': return 'halved';
    default: return one.operation.replace('_', ' ');
  }
}

/** Whether an operation is shown by itself. */
export const isShown = (/** @type {NetworkOperation} */ { operation }) => !['input', 'embedding', 'group_stats'].includes(operation);
