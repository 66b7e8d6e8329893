// diffusers' UNet2DModel in TensorFlow.js's operations, for the networks that Pollen ships and its page trains: plain, down, up and
// attention blocks, SiLU, class embeddings. Tensors are [N,H,W,C] as TensorFlow.js has them.

/** The tensors of a safetensors file, F16 or F32; weights of convolutions as [H,W,I,O], of linear layers as [I,O]. */
export const parse = (/** @type {any} */ tf, /** @type {Uint8Array} */ file) => {
  const view = new DataView(file.buffer, file.byteOffset), length = Number(view.getBigUint64(0, true));
  const { __metadata__, ...header } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  /** @type {Record<string, any>} */ const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(header)) {
    const data = file.slice(8 + length + begin, 8 + length + end).buffer;
    if (dtype !== 'F16' && dtype !== 'F32') throw new Error(`${name} is ${dtype}; F16 and F32 are read`);
    const values = dtype === 'F16' ? Float32Array.from(new Float16Array(data)) : new Float32Array(data);
    tensors[name] = tf.tidy(() => {
      const tensor = tf.tensor(values, shape);
      if (shape.length === 4) return tensor.transpose([2, 3, 1, 0]);
      return shape.length === 2 && name !== 'class_embedding.weight' ? tensor.transpose() : tensor;
    });
  }
  return tensors;
};

/** Nearest neighbours, twice the edge. */
const resized = (/** @type {any} */ tf, /** @type {any} */ x) => tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]);

/** The same without `resizeNearestNeighbor`, whose gradient TensorFlow.js 4.22.0 gets wrong. */
export const repeated = (/** @type {any} */ tf, /** @type {any} */ x) => {
  const [n, h, w, c] = x.shape, row = tf.reshape(tf.concat([x, x], 3), [n, h, 2 * w * c]);
  return tf.reshape(tf.concat([row, row], 2), [n, 2 * h, 2 * w, c]);
};

/**
 * The network of `config` with `weights` as `parse` gives them: (sample [N,H,W,C], timesteps [N], labels [N]) → prediction.
 * @param {any} tf @param {any} config @param {Record<string, any>} weights
 */
export const network = (tf, config, weights, doubled = resized) => {
  const { block_out_channels: widths, norm_num_groups: groups, norm_eps: eps, layers_per_block: layers } = config;
  const known = ['DownBlock2D', 'AttnDownBlock2D', 'UpBlock2D', 'AttnUpBlock2D'];
  const other = [...config.down_block_types, ...config.up_block_types].find((type) => !known.includes(type));
  if (other || config.act_fn !== 'silu' || config.resnet_time_scale_shift !== 'default') throw new Error(`${other ?? 'this network'} is not written for TensorFlow.js`);
  const w = (/** @type {string} */ name) => weights[name] ?? (() => { throw new Error(`no tensor ${name}`); })();
  const silu = (/** @type {any} */ x) => x.mul(x.sigmoid());
  const linear = (/** @type {any} */ x, /** @type {string} */ name) => x.matMul(w(`${name}.weight`)).add(w(`${name}.bias`));
  const conv = (/** @type {any} */ x, /** @type {string} */ name, strides = 1) => {
    const filter = w(`${name}.weight`);
    return tf.fused.conv2d({ x, filter, strides, pad: filter.shape[0] >> 1, dimRoundingMode: 'floor', bias: w(`${name}.bias`) });
  };
  const norm = (/** @type {any} */ x, /** @type {string} */ name) => {
    const [n, h, wide, c] = x.shape, parts = x.reshape([n, h * wide, groups, c / groups]);
    const { mean, variance } = tf.moments(parts, [1, 3], true);
    return parts.sub(mean).mul(variance.add(eps).rsqrt()).reshape(x.shape).mul(w(`${name}.weight`)).add(w(`${name}.bias`));
  };
  const resnet = (/** @type {any} */ x, /** @type {any} */ time, /** @type {string} */ name) => {
    const shift = linear(time, `${name}.time_emb_proj`), first = conv(silu(norm(x, `${name}.norm1`)), `${name}.conv1`);
    const h = first.add(shift.reshape([shift.shape[0], 1, 1, shift.shape[1]]));
    const way = weights[`${name}.conv_shortcut.weight`] ? conv(x, `${name}.conv_shortcut`) : x;
    return conv(silu(norm(h, `${name}.norm2`)), `${name}.conv2`).add(way);
  };
  const attention = (/** @type {any} */ x, /** @type {string} */ name) => {
    const [n, h, wide, c] = x.shape, head = config.attention_head_dim ?? c;
    const normed = norm(x, `${name}.group_norm`).reshape([n * h * wide, c]);
    const [q, k, v] = ['q', 'k', 'v'].map((of) => linear(normed, `${name}.to_${of}`).reshape([n, h * wide, c / head, head]).transpose([0, 2, 1, 3]));
    const shares = tf.softmax(tf.matMul(q, k, false, true).mul(1 / Math.sqrt(head)));
    const mixed = tf.matMul(shares, v).transpose([0, 2, 1, 3]).reshape([n * h * wide, c]);
    return linear(mixed, `${name}.to_out.0`).reshape(x.shape).add(x);
  };
  const embedding = (/** @type {any} */ timesteps) => {
    const half = widths[0] / 2, rates = tf.range(0, half).mul(-Math.log(10000) / (half - config.freq_shift)).exp();
    const angles = timesteps.reshape([-1, 1]).mul(rates.reshape([1, half]));
    return tf.concat(config.flip_sin_to_cos ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()], 1);
  };

  return (/** @type {any} */ sample, /** @type {any} */ timesteps, /** @type {any} */ labels) => {
    let time = linear(silu(linear(embedding(timesteps), 'time_embedding.linear_1')), 'time_embedding.linear_2');
    if (config.num_class_embeds) time = time.add(tf.gather(w('class_embedding.weight'), labels));
    time = silu(time);
    let x = conv(sample, 'conv_in');
    const kept = [x];
    for (const [i, type] of config.down_block_types.entries()) {
      for (let j = 0; j < layers; j++) {
        x = resnet(x, time, `down_blocks.${i}.resnets.${j}`);
        if (type.startsWith('Attn')) x = attention(x, `down_blocks.${i}.attentions.${j}`);
        kept.push(x);
      }
      if (i + 1 < widths.length) kept.push(x = conv(x, `down_blocks.${i}.downsamplers.0.conv`, 2));
    }
    x = resnet(x, time, 'mid_block.resnets.0');
    if (weights['mid_block.attentions.0.to_q.weight']) x = attention(x, 'mid_block.attentions.0');
    x = resnet(x, time, 'mid_block.resnets.1');
    for (const [i, type] of config.up_block_types.entries()) {
      for (let j = 0; j <= layers; j++) {
        x = resnet(tf.concat([x, kept.pop()], 3), time, `up_blocks.${i}.resnets.${j}`);
        if (type.startsWith('Attn')) x = attention(x, `up_blocks.${i}.attentions.${j}`);
      }
      if (i + 1 < widths.length) {
        x = conv(doubled(tf, x), `up_blocks.${i}.upsamplers.0.conv`);
      }
    }
    return conv(silu(norm(x, 'conv_norm_out')), 'conv_out');
  };
};
