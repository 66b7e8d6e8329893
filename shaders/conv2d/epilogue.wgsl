  // A thread's PX pixels from (oy, ox0) and OV vec4s of channels from vec4 o_first on, in a<pixel>_<vector>:
  // bias, time embedding, residual, scale.
#for V in 0..OV
  {
    let o = (o_first + ${V}u) * 4u;
    var bias = vec4<f32>();
    if (o < p.oc) {
      bias = four(weight[channels * ${K * K}u * stride4 + o / 4u]);
#if SHORTCUT
      bias += four(shortcut[(p.r0 + p.r1) * stride4 + o / 4u]);
#endif
    }
#for P in 0..PX
    {
      let ox = ox0 + ${P}u;
      if (oy < p.oh && ox < p.ow) {
        let sum = a${P}_${V} + bias;
        for (var l = 0u; l < 4u && o + l < p.oc; l++) {
          let at = ((n * p.oc + o + l) * p.oh + oy) * p.ow + ox;
          var value = sum[l];
#if EMBED
          value += embedding[n * p.e_len + p.e_offset + o + l];
#endif
#if RESIDUAL
          value += r[at];
#endif
          y[at] = value * p.scale;
        }
      }
    }
#endfor
#if MOMENTS
    // The strip's moments of each channel, behind y.
    for (var l = 0u; l < 4u && o + l < p.oc; l++) {
      let row = (n * p.oc + o + l) * p.oh + oy;
      let count = min(${PX}u, p.ow - ox0);
      var mean = 0.0;
      for (var i = 0u; i < count; i++) {
        mean += y[row * p.ow + ox0 + i];
      }
      mean /= f32(count);
      var squares = 0.0;
      for (var i = 0u; i < count; i++) {
        let d = y[row * p.ow + ox0 + i] - mean;
        squares += d * d;
      }
      let at = p.batch * p.oc * p.oh * p.ow + 3u * (row * strips_x + ox0 / ${PX}u);
      y[at] = f32(count);
      y[at + 1u] = mean;
      y[at + 2u] = squares;
    }
#endif
  }
#endfor
