// The networks that the page offers to train, as UNet2DModel configurations.

/** @type {Record<string, number[]>} */
const CHANNELS = { small: [16, 32, 64], medium: [32, 64, 128], large: [64, 128, 256] };

/**
 * Attention at the lowest resolution; one class more than there are for "any".
 * @param {{ size: string, edge: number, channels: number, classes?: number }} settings
 */
export function network({ size, edge, channels, classes = 0 }) {
  const widths = CHANNELS[size], lowest = widths.length - 1;
  return {
    _class_name: 'UNet2DModel',
    sample_size: edge,
    in_channels: channels,
    out_channels: channels,
    block_out_channels: widths,
    layers_per_block: 1,
    down_block_types: widths.map((_, i) => (i === lowest ? 'AttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: widths.map((_, i) => (i === 0 ? 'AttnUpBlock2D' : 'UpBlock2D')),
    attention_head_dim: 32,
    norm_num_groups: 8,
    ...(classes ? { num_class_embeds: classes + 1 } : {}),
  };
}

/** A picture's edge before a window of `edge` pixels is cut out of it at random. */
export const withRoom = (/** @type {number} */ edge, /** @type {boolean} */ crops) => (crops ? edge + Math.ceil(edge / 4) : edge);
