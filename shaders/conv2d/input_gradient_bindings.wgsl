// The operands of a convolution's input gradient after dy and the weight.
#if AFTER
#include "shared/source_bindings.wgsl"
#endif
#if RESIDUAL
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;

#if AFTER
#include "shared/source.wgsl"
#include "shared/activation_slope.wgsl"
#else
struct Source { c0: u32, c1: u32, h: u32, w: u32 }
#endif

struct Params {
  src: Source,
  oc: u32, oh: u32, ow: u32, ic: u32,
  h: u32, w: u32, strips: u32, batch: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
