      // Issues every load of the chunk that begins with channel `next`. Channels past the last read the last one, and
      // count as zero when they are stored: their weights are then any.
      {
        let ci = min(next + channel, terms - 1u);
#if PHASE == 0
#if MERGE
        ab = vec2<f32>(gamma[ci], beta[ci]);
#elif NORM
        ab = source_affine(p.src, n, ci);
#endif
#if CONCAT
        if (ci >= c0) {
          let base = (n * c1 + ci - c0) * plane;
#for E in 0..NX
          v${E} = x2[base + at${E}];
#endfor
        } else {
#else
        {
#endif
          let base = (n * c0 + ci) * plane;
#for E in 0..NX
          v${E} = x[base + at${E}];
#endfor
        }
#for E in 0..NW
        w${E} = weight[min(next * ${KK}u * stride4 + from${E}, last)];
#endfor
#elif PHASE == 2
        let base = (n * terms + ci) * plane;
#for E in 0..NX
        v${E} = dy[base + at${E}];
#endfor
#for E in 0..NW
        let o${E} = from${E} + min(next + j${E} % ${CH}u, len - 1u);
        w${E} = vec4<f32>(weight[o${E}], weight[o${E} + min(left${E}, 1u) * len * ${KK}u], weight[o${E} + min(left${E}, 2u) * len * ${KK}u], weight[o${E} + min(left${E}, 3u) * len * ${KK}u]);
#endfor
#else
#if SHORTCUT2
        if (ci >= c0) {
          let base = (n * c1 + ci - c0) * plane;
#for E in 0..NX
          v${E} = r2[base + at${E}];
#endfor
        } else {
#else
        {
#endif
          let base = (n * c0 + ci) * plane;
#for E in 0..NX
          v${E} = r[base + at${E}];
#endfor
        }
#for E in 0..NW
        w${E} = shortcut[min(next * stride4 + from${E}, last)];
#endfor
#endif
      }
