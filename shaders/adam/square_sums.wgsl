// s[first + k] = Σ g[i]² over every `sums`-th block of 64 elements, from the k-th on.
// Layouts: g [len], s [at least first + sums]. Tile: one workgroup of 64 threads a sum. Dispatch: [sums].
@group(0) @binding(auto) var<storage, read> g: array<f32>;
@group(0) @binding(auto) var<storage, read_write> s: array<f32>;

struct Params { len: u32, first: u32, sums: u32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  let step = p.sums * 64u;
  for (var i = group.x * 64u + lane; i < p.len; i += 8u * step) {
#for L in 0..8
    let g${L} = g[min(i + ${L}u * step, p.len - 1u)];
#endfor
#for L in 0..8
    sum += select(0.0, g${L} * g${L}, i + ${L}u * step < p.len);
#endfor
  }
  let total = sum_all(lane, sum);
  if (lane == 0u) {
    s[p.first + group.x] = total;
  }
}
