  // Issues every load of the chunk that begins with channel `next`. Channels past the last read the last one, and their
  // pixels count as zero.
  {
    let ci = min(next + channel, terms - 1u);
#if MERGE
    ab = vec2<f32>(gamma[ci], beta[ci]);
#elif NORM
    ab = source_affine(p.src, n, ci);
#endif
#if CONCAT
    if (ci >= p.src.c0) {
      let base = (n * p.src.c1 + ci - p.src.c0) * plane;
#for E in 0..NX
      v${E} = x2[base + at${E}];
#endfor
    } else {
#else
    {
#endif
      let base = (n * p.src.c0 + ci) * plane;
#for E in 0..NX
      v${E} = x[base + at${E}];
#endfor
    }
    let row = min(next + wc, terms - 1u) * 9u * stride4 + w_from;
#for K9 in 0..9
    w${K9} = weight_at(row + ${K9}u * stride4, o % 4u);
#endfor
  }
