// y[i] = scale·(source[i] [+ r[i]]) + offset, for what no neighbour absorbs.
// Layouts: NCHW. Tile: a thread makes one element. Dispatch: linear_grid(elements).
#include "shared/source_bindings.wgsl"
#if RESIDUAL
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { src: Source, count: u32, scale: f32, offset: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/source.wgsl"
#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.count) {
    return;
  }
  let h = p.src.h << ${UP}u;
  let w = p.src.w << ${UP}u;
  let plane = i / (h * w);
  let q = i % (h * w);
  let channels = p.src.c0 + p.src.c1;
  var v = source(p.src, plane / channels, plane % channels, q / w, q % w);
#if RESIDUAL
  v += r[i];
#endif
  y[i] = v * p.scale + p.offset;
}
