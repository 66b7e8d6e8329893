    // dx of this thread's pixels, and of its channel Σ dx.
    var total = 0.0;
#if ONCE == 0
    let c = channel;
    for (var q = select(p.hw, lane % ${T}u, own); q < p.hw; q += ${T * BATCH}u) {
#include "norm/gradient_load.wgsl"
#endif
#if RESIDUAL
#for B in 0..BATCH
    let r${B} = r[(n * channels + c) * p.hw + i${B}];
#endfor
#endif
#for B in 0..BATCH
    if (in${B}) {
      var value = scale * z${B} - slope * (v${B} - mean) - shift;
#if ENTRIES
      total += value;
#endif
#if RESIDUAL
      value += r${B};
#endif
#if SPLIT
      if (c >= p.c0) {
        dx2[(n * p.c1 + c - p.c0) * p.hw + i${B}] = value;
      } else {
        dx[(n * p.c0 + c) * p.hw + i${B}] = value;
      }
#else
      dx[(n * channels + c) * p.hw + i${B}] = value;
#endif
    }
#endfor
#if ONCE == 0
    }
#endif
#if ENTRIES
    let entry = sum_team(lane, vec2<f32>(total, 0.0)).x;
    if (own && lane % ${T}u == 0u) {
      e[n * p.e_len + p.e_offset + channel] = entry;
    }
#endif
