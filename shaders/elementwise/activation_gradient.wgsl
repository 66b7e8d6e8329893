// dx[i] = dy[i]·f'(a·x + b). Layouts: NCHW, the source neither upsampled nor activated.
// Tile: a thread makes one element. Dispatch: linear_grid(elements).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
#include "shared/source_bindings.wgsl"
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;

struct Params { src: Source, count: u32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/source.wgsl"
#include "shared/activation_slope.wgsl"
#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.count) {
    return;
  }
  let hw = p.src.h * p.src.w;
  let channels = p.src.c0 + p.src.c1;
  let n = i / hw / channels;
  let c = i / hw % channels;
  let ab = source_affine(p.src, n, c);
  dx[i] = dy[i] * activate_slope(source_before(p.src, n, c, i % hw / p.src.w, i % p.src.w, ab));
}
