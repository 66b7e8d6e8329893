// g[n,i] = weight[n]·2(a[n,i] − b[n,i]), or weight[n]·sign(a[n,i] − b[n,i]) (ABSOLUTE).
// Layouts: a, b, g [N,len], weight [N]. Tile: a thread makes one element. Dispatch: linear_grid(N × len).
@group(0) @binding(auto) var<storage, read_write> a: array<f32>;
@group(0) @binding(auto) var<storage, read_write> b: array<f32>;
@group(0) @binding(auto) var<storage, read_write> weight: array<f32>;
@group(0) @binding(auto) var<storage, read_write> g: array<f32>;

struct Params { count: u32, len: u32, _a: u32, _b: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.count) {
    return;
  }
  let d = a[i] - b[i];
#if ABSOLUTE
  g[i] = weight[i / p.len] * sign(d);
#else
  g[i] = weight[i / p.len] * 2.0 * d;
#endif
}
