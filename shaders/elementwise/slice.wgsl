// y[n, i] = x[n, first + i], i counting the elements of a sample.
// Layouts: x [N, sample], y [N, row]. Tile: a thread makes one element. Dispatch: linear_grid(elements).
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { count: u32, row: u32, sample: u32, first: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i < p.count) {
    y[i] = x[i / p.row * p.sample + p.first + i % p.row];
  }
}
