// What a kernel reads an image from: f(a·concat(x, x2) + b), upsampled by index arithmetic.
// Bindings x [N,c0,h,w], x2 [N,c1,h,w] (CONCAT), norm [N,2,c0+c1] (NORM: a, then b); the twin is `Source::at`.
struct Source { c0: u32, c1: u32, h: u32, w: u32 }

#include "activation.wgsl"

// Channel c of sample n at (iy, ix) as the reader sees them; all within bounds.
fn source(s: Source, n: u32, c: u32, iy: u32, ix: u32) -> f32 {
#if UP
  let p = (iy >> 1u) * s.w + (ix >> 1u);
#else
  let p = iy * s.w + ix;
#endif
  let hw = s.h * s.w;
#if CONCAT
  var v: f32;
  if (c < s.c0) {
    v = x[(n * s.c0 + c) * hw + p];
  } else {
    v = x2[(n * s.c1 + c - s.c0) * hw + p];
  }
#else
  var v = x[(n * s.c0 + c) * hw + p];
#endif
#if NORM
  let channels = s.c0 + s.c1;
  v = v * norm[n * 2u * channels + c] + norm[(n * 2u + 1u) * channels + c];
#endif
  return activate(v);
}
