// dγ[c] += Σ_n terms[n,3,c], dβ[c] += Σ_n terms[n,4,c].
// Layouts: terms [N,row], a row being [5 or 7][C]. Tile: a thread makes one channel. Dispatch: linear_grid(channels).
@group(0) @binding(auto) var<storage, read_write> terms: array<f32>;
@group(0) @binding(auto) var<storage, read_write> gamma: array<f32>;
@group(0) @binding(auto) var<storage, read_write> beta: array<f32>;

struct Params { batch: u32, channels: u32, row: u32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let c = thread_index(group, lane);
  if (c >= p.channels) {
    return;
  }
  var g = 0.0;
  var b = 0.0;
  for (var n = 0u; n < p.batch; n += 8u) {
#for L in 0..8
    let at${L} = min(n + ${L}u, p.batch - 1u) * p.row + 3u * p.channels + c;
    let g${L} = terms[at${L}];
    let b${L} = terms[at${L} + p.channels];
#endfor
#for L in 0..8
    g += select(0.0, g${L}, n + ${L}u < p.batch);
    b += select(0.0, b${L}, n + ${L}u < p.batch);
#endfor
  }
  gamma[c] += g;
  beta[c] += b;
}
