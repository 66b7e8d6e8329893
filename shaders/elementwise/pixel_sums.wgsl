// e[n, offset + c] = Σ_q x[n,c,q]; an entry from `first` on that is none of these becomes 0.
// Layouts: x [N,C,pixels], e [N,len]. Tile: one workgroup of WG threads an entry. Dispatch: [entries from first on, batch].
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read_write> e: array<f32>;

struct Params { channels: u32, pixels: u32, offset: u32, len: u32, first: u32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let entry = p.first + group.x;
  let c = entry - p.offset;
  var sum = 0.0;
  if (entry >= p.offset && c < p.channels) {
    for (var q = lane; q < p.pixels; q += ${WG}u) {
      sum += x[(group.y * p.channels + c) * p.pixels + q];
    }
  }
  let total = sum_all(lane, sum);
  if (lane == 0u) {
    e[group.y * p.len + entry] = total;
  }
}
