// y[n, h·D + i, q] = Σ_j softmax_j(scale·Σ_i Q[i,q]·K[i,j])·V[i,j], by running maximum and sum over tiles of 64 keys.
//
// Layouts: qkv [N, 3·heads·D, tokens], q then k then v; y [N, heads·D, tokens].
// For adapters that are processors: few barriers, no values through workgroup memory.
// Tile: 64 threads handle TQ queries of one head. For the scores a thread owns one key; for the sums it owns one query
// (lane mod TQ) and EL of the D channels. Dispatch: [⌈tokens/TQ⌉, heads, batch].
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { tokens: u32, heads: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

var<workgroup> sh_q: array<f32, ${TQ * D}>;
var<workgroup> sh_p: array<f32, ${TQ * 64}>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#include "attention/places.wgsl"
  let first = group.x * ${TQ}u;

  for (var i = lane; i < ${TQ * D}u; i += 64u) {
    let q = first + i % ${TQ}u;
    sh_q[i] = select(0.0, qkv[base_q + (i / ${TQ}u) * t + min(q, t - 1u)], q < t);
  }
  let mine = lane % ${TQ}u;
  var maximum = -3.0e38;
  var total = 0.0;
#for E in 0..EL
  var a${E} = 0.0;
#endfor

  for (var k0 = 0u; k0 < t; k0 += 64u) {
    workgroupBarrier();
    let key = k0 + lane;
#for Q in 0..TQ
    var s${Q} = 0.0;
#endfor
    for (var i = 0u; i < ${D}u; i++) {
      let k = qkv[base_k + i * t + min(key, t - 1u)];
#for Q in 0..TQ
      s${Q} += sh_q[i * ${TQ}u + ${Q}u] * k;
#endfor
    }
#for Q in 0..TQ
    sh_p[${Q * 64}u + lane] = select(-3.0e38, s${Q} * p.scale, key < t);
#endfor
    workgroupBarrier();
    var tile_max = maximum;
    for (var j = 0u; j < 64u; j++) {
      tile_max = max(tile_max, sh_p[mine * 64u + j]);
    }
    workgroupBarrier();
    for (var j = lane / ${TQ}u; j < 64u; j += ${64 / TQ}u) {
      let s = sh_p[mine * 64u + j];
      sh_p[mine * 64u + j] = select(0.0, exp(s - tile_max), k0 + j < t);
    }
    workgroupBarrier();
    let correction = exp(max(maximum - tile_max, -87.0));
    maximum = tile_max;
    total *= correction;
    for (var j = 0u; j < min(64u, t - k0); j++) {
      total += sh_p[mine * 64u + j];
    }
#for E in 0..EL
    let v${E} = base_v + min(lane / ${TQ}u + ${E * (64 / TQ)}u, ${D - 1}u) * t + k0;
    a${E} *= correction;
#endfor
    for (var j = 0u; j < min(64u, t - k0); j++) {
      let w = sh_p[mine * 64u + j];
#for E in 0..EL
      a${E} += w * qkv[v${E} + j];
#endfor
    }
  }
  let q = first + mine;
#for E in 0..EL
  let i${E} = lane / ${TQ}u + ${E * (64 / TQ)}u;
  if (i${E} < ${D}u && q < t) {
    y[(group.z * channels + group.y * ${D}u + i${E}) * t + q] = a${E} / total;
  }
#endfor
}
