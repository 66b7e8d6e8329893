// The gradient of attention: dQ[i,q] = Σ_j S[q,j]·K[i,j], dK[i,j] = Σ_q S[q,j]·Q[i,q] and dV[i,j] = Σ_q P[q,j]·dY[i,q] with
// P = exp(scale·Σ_i Q[i,q]·K[i,j] − L[q]) and S = scale·P·(Σ_i dY[i,q]·V[i,j] − D[q]).
//
// Layouts: dy [N, heads·D, tokens], qkv and dqkv [N, 3·heads·D, tokens], rows [N, heads, 2, tokens] (L, D).
// Tile: WG threads handle T items of one head, where z is even queries, else keys, over tiles of 64 of the others. For S and P
// a thread has one of the others and IT items; for the sums one item (lane mod T) and EL of the D channels, JB others' loads
// under way at a time. Dispatch: [⌈tokens/T⌉, heads, 2 × batch].
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> rows: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dqkv: array<f32>;

struct Params { tokens: u32, heads: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#let WAVES = WG / 64
#let IT = (T + WAVES - 1) / WAVES
#let STRIDE = WG / T
#let D4 = (D + 3) / 4
#let STEP = 1 + (D4 % 2 == 0) + 2 * (D4 % 4 == 0)
// Q and dY of the queries or K and V of the keys, item by item; a row more keeps items in banks of their own.
var<workgroup> sh_a: array<vec4<f32>, ${T * D4}>;
var<workgroup> sh_b: array<vec4<f32>, ${T * D4}>;
var<workgroup> sh_s: array<f32, ${T * 65}>;
var<workgroup> sh_p: array<f32, ${T * 65}>;

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let keys = id.z % 2u == 1u;
  let group = vec3<u32>(id.xy, id.z / 2u);
#include "attention/places.wgsl"
  let base_y = (group.z * channels + group.y * ${D}u) * t;
  let base_r = (group.z * p.heads + group.y) * 2u * t;
  let base_a = select(base_q, base_k, keys);
  let base_b = select(base_k, base_q, keys);
  let first = group.x * ${T}u;

  for (var at = lane; at < ${T * D4}u; at += ${WG}u) {
    let item = min(first + at % ${T}u, t - 1u);
    let i = at / ${T}u * 4u;
    var b: vec4<f32>;
#for I in 0..4
    let i${I} = min(i + ${I}u, ${D - 1}u) * t + item;
#endfor
    if (keys) {
      b = vec4<f32>(qkv[base_v + i0], qkv[base_v + i1], qkv[base_v + i2], qkv[base_v + i3]);
    } else {
      b = vec4<f32>(dy[base_y + i0], dy[base_y + i1], dy[base_y + i2], dy[base_y + i3]);
    }
    let a = vec4<f32>(qkv[base_a + i0], qkv[base_a + i1], qkv[base_a + i2], qkv[base_a + i3]);
    let there = vec4<u32>(i, i + 1u, i + 2u, i + 3u) < vec4<u32>(${D}u);
    sh_a[at % ${T}u * ${D4}u + at / ${T}u] = select(vec4<f32>(), a, there);
    sh_b[at % ${T}u * ${D4}u + at / ${T}u] = select(vec4<f32>(), b, there);
  }
  let other = lane % 64u;
  let own = min(lane / 64u * ${IT}u, ${T - IT}u);
  let mine = lane % ${T}u;
#for E in 0..EL
  let c${E} = min(lane / ${T}u + ${E * STRIDE}u, ${D - 1}u) * t;
  var a${E} = 0.0;
  var b${E} = 0.0;
#endfor
  for (var o0 = 0u; o0 < t; o0 += 64u) {
    workgroupBarrier();
    let o = min(o0 + other, t - 1u);
#for J in 0..IT
    var s${J} = 0.0;
    var d${J} = 0.0;
#endfor
    for (var i = 0u; i < ${D4}u; i += ${STEP}u) {
#for I in 0..4 * STEP
      let i${I} = min(i * 4u + ${I}u, ${D - 1}u) * t + o;
      let u${I} = qkv[base_b + i${I}];
      var w${I}: f32;
#endfor
      if (keys) {
#for I in 0..4 * STEP
        w${I} = dy[base_y + i${I}];
#endfor
      } else {
#for I in 0..4 * STEP
        w${I} = qkv[base_v + i${I}];
#endfor
      }
#for J in 0..IT
#for V in 0..STEP
      let a${J}_${V} = sh_a[(own + ${J}u) * ${D4}u + i + ${V}u];
      let b${J}_${V} = sh_b[(own + ${J}u) * ${D4}u + i + ${V}u];
#for I in 0..4
      s${J} += a${J}_${V}[${I}] * u${4 * V + I};
      d${J} += b${J}_${V}[${I}] * w${4 * V + I};
#endfor
#endfor
#endfor
    }
#for J in 0..IT
    let q${J} = select(min(first + own + ${J}u, t - 1u), o, keys);
    let l${J} = rows[base_r + q${J}];
    let m${J} = rows[base_r + t + q${J}];
#endfor
#for J in 0..IT
    let p${J} = select(0.0, exp(clamp(s${J} * p.scale - l${J}, -87.0, 0.0)), o0 + other < t);
    sh_p[(own + ${J}u) * 65u + other] = p${J};
    sh_s[(own + ${J}u) * 65u + other] = p${J} * (d${J} - m${J}) * p.scale;
#endfor
    workgroupBarrier();
    for (var j = 0u; j < min(64u, t - o0); j += ${JB}u) {
#for B in 0..JB
      let j${B} = min(o0 + j + ${B}u, t - 1u);
#for E in 0..EL
      let u${E}_${B} = qkv[base_b + c${E} + j${B}];
#endfor
#endfor
      if (keys) {
#for B in 0..JB
#for E in 0..EL
        let w${E}_${B} = dy[base_y + c${E} + j${B}];
#endfor
#endfor
#for B in 0..JB
        let p${B} = sh_p[mine * 65u + j + ${B}u];
#for E in 0..EL
        b${E} += p${B} * w${E}_${B};
#endfor
#endfor
      }
#for B in 0..JB
      let s${B} = sh_s[mine * 65u + j + ${B}u];
#for E in 0..EL
      a${E} += s${B} * u${E}_${B};
#endfor
#endfor
    }
  }
  let item = first + mine;
#for E in 0..EL
  if (lane / ${T}u + ${E * STRIDE}u < ${D}u && item < t) {
    dqkv[base_a + c${E} + item] = a${E};
    if (keys) {
      dqkv[base_v + c${E} + item] = b${E};
    }
  }
#endfor
}
