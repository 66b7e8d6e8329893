// g[i] += Σ_part parts[part, i], first part first.
// Layouts: parts [count, len], g [len]. Tile: a thread makes one element. Dispatch: linear_grid(len).
@group(0) @binding(auto) var<storage, read_write> parts: array<f32>;
@group(0) @binding(auto) var<storage, read_write> g: array<f32>;

struct Params { count: u32, len: u32, _a: u32, _b: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.len) {
    return;
  }
  var sum = 0.0;
  for (var part = 0u; part < p.count; part += 16u) {
#for L in 0..16
    let v${L} = parts[min(part + ${L}u, p.count - 1u) * p.len + i];
#endfor
#for L in 0..16
    sum += select(0.0, v${L}, part + ${L}u < p.count);
#endfor
  }
  g[i] += sum;
}
