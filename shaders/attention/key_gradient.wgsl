// dK[i,j] = Σ_q S[q,j]·Q[i,q] and dV[i,j] = Σ_q P[q,j]·dY[i,q], with S and P as in attention/query_gradient.wgsl.
//
// Layouts: dy [N, heads·D, tokens], qkv and dqkv [N, 3·heads·D, tokens], rows [N, heads, 2, tokens] (L, D).
// Tile: 64 threads handle T keys of one head over tiles of 64 queries. For S and P a thread owns one query; for the sums
// it owns one key (lane mod T) and EL of the D channels. Dispatch: [⌈tokens/T⌉, heads, batch].
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> rows: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dqkv: array<f32>;

struct Params { tokens: u32, heads: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

var<workgroup> sh_k: array<f32, ${T * D}>;
var<workgroup> sh_v: array<f32, ${T * D}>;
var<workgroup> sh_s: array<f32, ${T * 64}>;
var<workgroup> sh_p: array<f32, ${T * 64}>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#include "attention/places.wgsl"
  let base_y = (group.z * channels + group.y * ${D}u) * t;
  let base_r = (group.z * p.heads + group.y) * 2u * t;
  let first = group.x * ${T}u;

  for (var i = lane; i < ${T * D}u; i += 64u) {
    let key = min(first + i % ${T}u, t - 1u);
    sh_k[i] = qkv[base_k + (i / ${T}u) * t + key];
    sh_v[i] = qkv[base_v + (i / ${T}u) * t + key];
  }
  let mine = lane % ${T}u;
  var acc_k: array<f32, ${EL}>;
  var acc_v: array<f32, ${EL}>;
  for (var q0 = 0u; q0 < t; q0 += 64u) {
    workgroupBarrier();
    let query = min(q0 + lane, t - 1u);
#for J in 0..T
    var s${J} = 0.0;
    var d${J} = 0.0;
#endfor
    for (var i = 0u; i < ${D}u; i++) {
      let q = qkv[base_q + i * t + query];
      let g = dy[base_y + i * t + query];
#for J in 0..T
      s${J} += sh_k[i * ${T}u + ${J}u] * q;
      d${J} += sh_v[i * ${T}u + ${J}u] * g;
#endfor
    }
    let l = rows[base_r + query];
    let d = rows[base_r + t + query];
#for J in 0..T
    {
      let weight = exp(clamp(s${J} * p.scale - l, -87.0, 0.0));
      sh_p[${J * 64}u + lane] = weight;
      sh_s[${J * 64}u + lane] = weight * (d${J} - d) * p.scale;
    }
#endfor
    workgroupBarrier();
    for (var e = 0u; e < ${EL}u; e++) {
      let i = lane / ${T}u + e * ${64 / T}u;
      if (i < ${D}u) {
        var sum_k = acc_k[e];
        var sum_v = acc_v[e];
        for (var j = 0u; j < min(64u, t - q0); j++) {
          sum_k += sh_s[mine * 64u + j] * qkv[base_q + i * t + q0 + j];
          sum_v += sh_p[mine * 64u + j] * dy[base_y + i * t + q0 + j];
        }
        acc_k[e] = sum_k;
        acc_v[e] = sum_v;
      }
    }
  }
  let key = first + mine;
  for (var e = 0u; e < ${EL}u; e++) {
    let i = lane / ${T}u + e * ${64 / T}u;
    if (i < ${D}u && key < t) {
      dqkv[base_k + i * t + key] = acc_k[e];
      dqkv[base_v + i * t + key] = acc_v[e];
    }
  }
}
