// What a kernel reads an image from: f(a·concat(x, x2) + b), upsampled by index arithmetic.
// Bindings x [N,c0,h,w], x2 [N,c1,h,w] (CONCAT), norm [N,2,c0+c1] (NORM: a, then b) or γ and β (MERGE: groups, see
// conv2d/merge.wgsl); the twin is `Source::at`.
struct Source { c0: u32, c1: u32, h: u32, w: u32 }

#include "shared/activation.wgsl"

// a and b of channel c of sample n.
fn source_affine(s: Source, n: u32, c: u32) -> vec2<f32> {
#if MERGE
  let group = sh_group[c / p.per];
  let a = gamma[c] * group.y;
  return vec2<f32>(a, beta[c] - group.x * a);
#elif NORM
  let at = n * 2u * (s.c0 + s.c1) + c;
  return vec2<f32>(norm[at], norm[at + s.c0 + s.c1]);
#else
  return vec2<f32>(1.0, 0.0);
#endif
}

// a·x + b at (iy, ix) as the reader sees them, all within bounds, ab being the channel's `source_affine`.
fn source_before(s: Source, n: u32, c: u32, iy: u32, ix: u32, ab: vec2<f32>) -> f32 {
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
#if NORM + MERGE
  v = v * ab.x + ab.y;
#endif
  return v;
}

// Channel c of sample n there.
fn source_value(s: Source, n: u32, c: u32, iy: u32, ix: u32, ab: vec2<f32>) -> f32 {
  return activate(source_before(s, n, c, iy, ix, ab));
}

fn source(s: Source, n: u32, c: u32, iy: u32, ix: u32) -> f32 {
  return source_value(s, n, c, iy, ix, source_affine(s, n, c));
}
