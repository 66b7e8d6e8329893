// dQ[i,q] = Σ_j S[q,j]·K[i,j] with S = scale·P·(Σ_i dY[i,q]·V[i,j] − D[q]) and P = exp(scale·Σ_i Q[i,q]·K[i,j] − L[q]).
//
// Layouts: dy [N, heads·D, tokens], qkv and dqkv [N, 3·heads·D, tokens], rows [N, heads, 2, tokens] (L, D).
// Tile: 64 threads handle T queries of one head over tiles of 64 keys. For S a thread owns one key; for the sums it owns
// one query (lane mod T) and EL of the D channels. Dispatch: [⌈tokens/T⌉, heads, batch].
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> rows: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dqkv: array<f32>;

struct Params { tokens: u32, heads: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

var<workgroup> sh_q: array<f32, ${T * D}>;
var<workgroup> sh_dy: array<f32, ${T * D}>;
var<workgroup> sh_s: array<f32, ${T * 64}>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#include "attention/places.wgsl"
  let base_y = (group.z * channels + group.y * ${D}u) * t;
  let base_r = (group.z * p.heads + group.y) * 2u * t;
  let first = group.x * ${T}u;

  for (var i = lane; i < ${T * D}u; i += 64u) {
    let q = min(first + i % ${T}u, t - 1u);
    sh_q[i] = qkv[base_q + (i / ${T}u) * t + q];
    sh_dy[i] = dy[base_y + (i / ${T}u) * t + q];
  }
  let mine = lane % ${T}u;
  var acc: array<f32, ${EL}>;
  for (var k0 = 0u; k0 < t; k0 += 64u) {
    workgroupBarrier();
    let key = min(k0 + lane, t - 1u);
#for Q in 0..T
    var s${Q} = 0.0;
    var d${Q} = 0.0;
#endfor
    for (var i = 0u; i < ${D}u; i++) {
      let k = qkv[base_k + i * t + key];
      let v = qkv[base_v + i * t + key];
#for Q in 0..T
      s${Q} += sh_q[i * ${T}u + ${Q}u] * k;
      d${Q} += sh_dy[i * ${T}u + ${Q}u] * v;
#endfor
    }
#for Q in 0..T
    {
      let row = base_r + min(first + ${Q}u, t - 1u);
      let weight = exp(clamp(s${Q} * p.scale - rows[row], -87.0, 0.0));
      sh_s[${Q * 64}u + lane] = weight * (d${Q} - rows[row + t]) * p.scale;
    }
#endfor
    workgroupBarrier();
    for (var e = 0u; e < ${EL}u; e++) {
      let i = lane / ${T}u + e * ${64 / T}u;
      if (i < ${D}u) {
        var sum = acc[e];
        let k = base_k + i * t + k0;
        for (var j = 0u; j < min(64u, t - k0); j++) {
          sum += sh_s[mine * 64u + j] * qkv[k + j];
        }
        acc[e] = sum;
      }
    }
  }
  let q = first + mine;
  for (var e = 0u; e < ${EL}u; e++) {
    let i = lane / ${T}u + e * ${64 / T}u;
    if (i < ${D}u && q < t) {
      dqkv[base_q + i * t + q] = acc[e];
    }
  }
}
