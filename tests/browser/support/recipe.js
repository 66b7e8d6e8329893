// The random weights of tests/fixtures, made again from a seed; the recipe is in tests/fixtures/README.md.
import { createHash } from 'node:crypto';

/**
 * PyTorch's CPU generator: MT19937; what it returns gives 32 bits.
 * @param {number} seed
 */
function mersenneTwister(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let at = 624;
  return () => {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/**
 * @typedef {{ in_channels: number, out_channels: number, block_out_channels: number[], layers_per_block: number, down_block_types: string[], up_block_types: string[] }} Config
 */

/**
 * Names and shapes of the tensors of a `UNet2DModel` of plain blocks: ResNets, attention, resampling by convolution.
 * @param {Config} config
 */
export function parameters(config) {
  const { in_channels: input, out_channels: output, block_out_channels: channels, layers_per_block: layers } = config;
  /** @type {Record<string, number[]>} */ const shapes = {};
  const time = 4 * channels[0];
  const layer = (/** @type {string} */ name, /** @type {number} */ out, /** @type {number[]} */ ...rest) => Object.assign(shapes, { [`${name}.weight`]: [out, ...rest], [`${name}.bias`]: [out] });
  const resnet = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) => {
    layer(`${name}.norm1`, from);
    layer(`${name}.conv1`, to, from, 3, 3);
    layer(`${name}.time_emb_proj`, to, time);
    layer(`${name}.norm2`, to);
    layer(`${name}.conv2`, to, to, 3, 3);
    if (from !== to) layer(`${name}.conv_shortcut`, to, from, 1, 1);
  };
  const attention = (/** @type {string} */ name, /** @type {number} */ c) => {
    layer(`${name}.group_norm`, c);
    for (const part of ['to_q', 'to_k', 'to_v', 'to_out.0']) layer(`${name}.${part}`, c, c);
  };
  layer('conv_in', channels[0], input, 3, 3);
  layer('time_embedding.linear_1', time, channels[0]);
  layer('time_embedding.linear_2', time, time);
  const skips = [channels[0]];
  let now = channels[0];
  channels.forEach((c, i) => {
    for (let j = 0; j < layers; j++, now = c) {
      resnet(`down_blocks.${i}.resnets.${j}`, now, c);
      if (config.down_block_types[i].startsWith('Attn')) attention(`down_blocks.${i}.attentions.${j}`, c);
      skips.push(c);
    }
    if (i < channels.length - 1) {
      layer(`down_blocks.${i}.downsamplers.0.conv`, c, c, 3, 3);
      skips.push(c);
    }
  });
  for (const j of [0, 1]) resnet(`mid_block.resnets.${j}`, now, now);
  attention('mid_block.attentions.0', now);
  channels.toReversed().forEach((c, i) => {
    for (let j = 0; j <= layers; j++, now = c) {
      resnet(`up_blocks.${i}.resnets.${j}`, now + (skips.pop() ?? 0), c);
      if (config.up_block_types[i].startsWith('Attn')) attention(`up_blocks.${i}.attentions.${j}`, c);
    }
    if (i < channels.length - 1) layer(`up_blocks.${i}.upsamplers.0.conv`, c, c, 3, 3);
  });
  layer('conv_norm_out', channels[0]);
  layer('conv_out', output, channels[0], 3, 3);
  return shapes;
}

/**
 * The tensors of `config` filled from `seed`, and the SHA-256 of all their bytes in the order drawn.
 * @param {Config} config
 * @param {number} seed
 * @param {number} gain
 */
export function fill(config, seed, gain) {
  const shapes = parameters(config), random = mersenneTwister(seed), hash = createHash('sha256');
  /** @type {Record<string, { shape: number[], data: Float32Array }>} */ const tensors = {};
  for (const name of Object.keys(shapes).sort()) {
    const shape = shapes[name], data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const weight = name.endsWith('.weight'), bound = shape.length > 1
      ? Math.fround(gain / Math.sqrt(data.length / shape[0]))
      : Math.fround(weight ? 0.2 : 0.1);
    for (let i = 0; i < data.length; i++) {
      const scaled = Math.fround((((random() & 0xffffff) / 0x1000000) * 2 - 1) * bound);
      data[i] = shape.length === 1 && weight ? scaled + 1 : scaled;
    }
    hash.update(new Uint8Array(data.buffer));
    tensors[name] = { shape, data };
  }
  return { tensors, sha256: hash.digest('hex') };
}
