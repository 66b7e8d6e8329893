// mean[n] = Σ_i (a[n,i] − b[n,i])² / len, or Σ_i |a[n,i] − b[n,i]| / len (ABSOLUTE).
// Layouts: a, b [N,len], mean [N]. Tile: one workgroup of WG threads a sample. Dispatch: [batch].
@group(0) @binding(auto) var<storage, read_write> a: array<f32>;
@group(0) @binding(auto) var<storage, read_write> b: array<f32>;
@group(0) @binding(auto) var<storage, read_write> mean: array<f32>;

struct Params { len: u32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < p.len; i += ${8 * WG}u) {
#for L in 0..8
    let at${L} = group.x * p.len + min(i + ${L * WG}u, p.len - 1u);
    let d${L} = a[at${L}] - b[at${L}];
#endfor
#for L in 0..8
#if ABSOLUTE
    sum += select(0.0, abs(d${L}), i + ${L * WG}u < p.len);
#else
    sum += select(0.0, d${L} * d${L}, i + ${L * WG}u < p.len);
#endif
#endfor
  }
  let total = sum_all(lane, sum);
  if (lane == 0u) {
    mean[group.x] = total / f32(p.len);
  }
}
