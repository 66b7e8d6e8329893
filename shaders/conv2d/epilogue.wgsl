  // A thread's PX pixels from (oy, ox0) and OV vec4s of channels from vec4 o_first on, in a<pixel>_<vector>:
  // bias, time embedding, residual, scale.
  var sums: array<f32, ${4 * OV * PX}>;
#for V in 0..OV
  {
    let o4 = min(o_first + ${V}u, stride4 - 1u);
    var bias = four(weight[channels * ${K * K}u * stride4 + o4]);
#if SHORTCUT
    bias += four(shortcut[(p.r0 + p.r1) * stride4 + o4]);
#endif
#for P in 0..PX
    let sum${P} = a${P}_${V} + bias;
#for L in 0..4
    sums[${(4 * V + L) * PX + P}] = sum${P}[${L}];
#endfor
#endfor
  }
#endfor
  let count = min(${PX}u, p.ow - ox0);
  for (var l = 0u; l < min(${4 * OV}u, p.oc - o_first * 4u); l++) {
    let o = o_first * 4u + l;
    let row = (n * p.oc + o) * p.oh + oy;
#if MOMENTS
    var mean = 0.0;
#endif
    for (var i = 0u; i < count; i++) {
      let at = row * p.ow + ox0 + i;
      var value = sums[l * ${PX}u + i];
#if EMBED
      value += embedding[n * p.e_len + p.e_offset + o];
#endif
#if RESIDUAL
      value += r[at];
#endif
      value *= p.scale;
      y[at] = value;
#if MOMENTS
      sums[l * ${PX}u + i] = value;
      mean += value;
#endif
    }
#if MOMENTS
    // The strip's moments of the channel, behind y.
    mean /= f32(count);
    var squares = 0.0;
    for (var i = 0u; i < count; i++) {
      let d = sums[l * ${PX}u + i] - mean;
      squares += d * d;
    }
    let at = p.batch * p.oc * p.oh * p.ow + 3u * (row * strips_x + ox0 / ${PX}u);
    y[at] = f32(count);
    y[at + 1u] = mean;
    y[at + 2u] = squares;
#endif
  }
