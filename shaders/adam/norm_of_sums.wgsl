// norm = √(Σ s[i]). Layouts: s [count], norm [1]. Tile: one workgroup of 64 threads. Dispatch: [1].
@group(0) @binding(auto) var<storage, read_write> s: array<f32>;
@group(0) @binding(auto) var<storage, read_write> norm: array<f32>;

struct Params { count: u32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.count; i += 64u) {
    sum += s[i];
  }
  let total = sum_all(lane, sum);
  if (lane == 0u) {
    norm[0] = sqrt(total);
  }
}
