    // The pixels q, q + T, … of channel c, the last one in place of those past it.
#for B in 0..BATCH
    let i${B} = min(q + ${T * B}u, p.hw - 1u);
    let z${B} = dz[(n * channels + c) * p.hw + i${B}];
    var v${B}: f32;
#endfor
#if CONCAT
    if (c >= p.c0) {
#for B in 0..BATCH
      v${B} = x2[(n * p.c1 + c - p.c0) * p.hw + i${B}];
#endfor
    } else {
#else
    {
#endif
#for B in 0..BATCH
      v${B} = x[(n * p.c0 + c) * p.hw + i${B}];
#endfor
    }
#if ONCE
#for B in 0..BATCH
    let in${B} = team < per && q + ${T * B}u < p.hw;
#endfor
#else
#for B in 0..BATCH
    let in${B} = q + ${T * B}u < p.hw;
#endfor
#endif
