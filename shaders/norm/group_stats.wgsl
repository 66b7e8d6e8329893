// a[n,c] = γ[c]/√(var + ε), b[n,c] = β[c] − mean·a[n,c]; with an embedding e (MODULATE), s = e[n, offset + c] and
// t = e[n, offset + C + c]: a·(1 + s) and b·(1 + s) + t. Mean and biased variance over a group's channels and pixels.
// With IMAGE also y = f(a·x + b), [N,C,h,w].
//
// Layouts: x [N,c0,h,w], x2 [N,c1,h,w] (CONCAT), stats [N,2,C]. Two passes, so that a large mean costs no digits.
// Tile: one workgroup of WG threads a group, BATCH loads of each under way at a time; where that is all of a thread's
// elements (ONCE), the second pass has them still. Dispatch: [groups, batch].
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read> gamma: array<f32>;
@group(0) @binding(auto) var<storage, read> beta: array<f32>;
#if MODULATE
@group(0) @binding(auto) var<storage, read_write> embedding: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> stats: array<f32>;
#if IMAGE
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

#include "shared/activation.wgsl"

// a and b of the group's IMAGE channels.
var<workgroup> sh_affine: array<vec2<f32>, ${IMAGE}>;
#endif

struct Params { c0: u32, c1: u32, h: u32, w: u32, groups: u32, e_offset: u32, e_len: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;

// Element i of sample n, counted over both sources.
fn element(n: u32, i: u32) -> f32 {
  let first = p.c0 * p.h * p.w;
#if CONCAT
  if (i >= first) {
    return x2[n * p.c1 * p.h * p.w + i - first];
  }
#endif
  return x[n * first + i];
}

#include "shared/reduce.wgsl"

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.y;
  let channels = p.c0 + p.c1;
  let per = channels / p.groups;
  let count = per * p.h * p.w;
  let first = group.x * count;

  var sum = 0.0;
#if ONCE
  let i = lane;
#include "norm/batch.wgsl"
#else
  for (var i = lane; i < count; i += ${WG * BATCH}u) {
#include "norm/batch.wgsl"
#endif
#for B in 0..BATCH
    sum += select(0.0, v${B}, i + ${WG * B}u < count);
#endfor
#if ONCE
#else
  }
#endif
  let mean = sum_all(lane, sum) / f32(count);
  var squares = 0.0;
#if ONCE
#else
  for (var i = lane; i < count; i += ${WG * BATCH}u) {
#include "norm/batch.wgsl"
#endif
#for B in 0..BATCH
    let d${B} = v${B} - mean;
    squares += select(0.0, d${B} * d${B}, i + ${WG * B}u < count);
#endfor
#if ONCE
#else
  }
#endif
  let variance = sum_all(lane, squares) / f32(count);
  let inverse = 1.0 / sqrt(variance + p.eps);

  for (var i = lane; i < per; i += ${WG}u) {
    let c = group.x * per + i;
    var a = gamma[c] * inverse;
    var b = beta[c] - mean * a;
#if MODULATE
    let e = n * p.e_len + p.e_offset + c;
    let s = 1.0 + embedding[e];
    a *= s;
    b = b * s + embedding[e + channels];
#endif
    stats[n * 2u * channels + c] = a;
    stats[(n * 2u + 1u) * channels + c] = b;
#if IMAGE
    sh_affine[i] = vec2<f32>(a, b);
#endif
  }
#if IMAGE
  workgroupBarrier();
  // Exact: no group has 2²⁰ elements.
  let pixels = 1.0 / f32(p.h * p.w);
#if ONCE
#else
  for (var i = lane; i < count; i += ${WG * BATCH}u) {
#include "norm/batch.wgsl"
#endif
#for B in 0..BATCH
    if (i + ${WG * B}u < count) {
      let ab = sh_affine[u32((f32(i + ${WG * B}u) + 0.5) * pixels)];
      y[n * channels * p.h * p.w + first + i + ${WG * B}u] = activate(v${B} * ab.x + ab.y);
    }
#endfor
#if ONCE
#else
  }
#endif
#endif
}
