// g[row,d] += Σ dy[n,d] over the samples n with labels[n] = row, in their order.
// Layouts: dy [N,D], labels [N] as whole floats, g [rows,D]. Tile: a thread makes one element.
// Dispatch: linear_grid(rows × D).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> labels: array<f32>;
@group(0) @binding(auto) var<storage, read_write> g: array<f32>;

struct Params { batch: u32, rows: u32, dim: u32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.rows * p.dim) {
    return;
  }
  var sum = 0.0;
  for (var n = 0u; n < p.batch; n++) {
    if (min(u32(max(labels[n], 0.0)), p.rows - 1u) == i / p.dim) {
      sum += dy[n * p.dim + i % p.dim];
    }
  }
  g[i] += sum;
}
