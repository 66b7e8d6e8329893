// Operands and sizes of a convolution, the same for every variant of its kernel; see `Conv2dKernel`.
#include "shared/source_bindings.wgsl"
#include "shared/weights.wgsl"
@group(0) @binding(auto) var<storage, read> weight: array<Four>;
#if EMBED
@group(0) @binding(auto) var<storage, read_write> embedding: array<f32>;
#endif
#if RESIDUAL
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
#if SHORTCUT
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#if SHORTCUT2
@group(0) @binding(auto) var<storage, read_write> r2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read> shortcut: array<Four>;
#endif
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params {
  src: Source,
  oc: u32, oh: u32, ow: u32, pad: u32,
  e_offset: u32, e_len: u32, r0: u32, r1: u32,
  batch: u32, scale: f32, per: u32, eps: f32,
  parts: array<vec4<u32>, 2>,
}
@group(0) @binding(0) var<uniform> p: Params;

#if MERGE
var<workgroup> sh_group: array<vec2<f32>, ${MERGE}>;
#endif

#include "shared/source.wgsl"

#if SHORTCUT
// Channel c of the shortcut's input at pixel q, all within bounds.
fn shortcut_input(n: u32, c: u32, q: u32) -> f32 {
  let plane = p.oh * p.ow;
#if SHORTCUT2
  if (c >= p.r0) {
    return r2[(n * p.r1 + c - p.r0) * plane + q];
  }
#endif
  return r[(n * p.r0 + c) * plane + q];
}
#endif
