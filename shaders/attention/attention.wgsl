// y[n, h·D + i, q] = Σ_j softmax_j(scale·Σ_i Q[i,q]·K[i,j])·V[i,j], by running maximum and sum over tiles of 64 keys.
//
// Layouts: qkv [N, 3·heads·D, tokens], q then k then v; y [N, heads·D, tokens].
// Tile: 256 threads handle TQ queries of one head. For the scores the four waves share out the channels, BATCH of them
// loaded at a time, and a thread owns one key; then it owns one key of every fourth query. For the sums VC channels of
// the values at a time stand in workgroup memory, the next on their way to registers, and a thread owns one channel of
// them and 64·VC/256 keys. Dispatch: [⌈tokens/TQ⌉, heads, batch].
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { tokens: u32, heads: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#let DP = (D + 4 * BATCH - 1) / (4 * BATCH) * BATCH
#let PARTS = 256 / VC
#let KEYS = 64 / PARTS
#let EL = (D + VC - 1) / VC
#let OWN = (TQ + 3) / 4
var<workgroup> sh_q: array<f32, ${TQ * 4 * DP}>;
// The waves' parts of the scores [4, TQ, 64]; then the scores; then values [VC, 65]; at the end parts of the sums.
var<workgroup> sh_t: array<f32, ${TN}>;
var<workgroup> sh_p: array<f32, ${TQ * 64}>;
var<workgroup> sh_c: array<f32, ${TQ}>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#include "attention/places.wgsl"
  let first = group.x * ${TQ}u;
  let wave = lane / 64u;
  let key = lane % 64u;
  let channel = lane % ${VC}u;
  let part = lane / ${VC}u * ${KEYS}u;

  for (var i = lane; i < ${TQ * 4 * DP}u; i += 256u) {
    let q = first + i % ${TQ}u;
    let c = i / ${TQ}u;
    sh_q[i] = select(0.0, qkv[base_q + min(c, ${D - 1}u) * t + min(q, t - 1u)], q < t && c < ${D}u);
  }
#for K in 0..OWN
  var maximum${K} = -3.0e38;
  var total${K} = 0.0;
#endfor
#for E in 0..EL
#for Q in 0..TQ
  var a${E}_${Q} = 0.0;
#endfor
#endfor

  for (var k0 = 0u; k0 < t; k0 += 64u) {
    workgroupBarrier();
    let at = min(k0 + key, t - 1u);
#for Q in 0..TQ
    var s${Q} = 0.0;
#endfor
    for (var c = wave * ${DP}u; c < wave * ${DP}u + ${DP}u; c += ${BATCH}u) {
#for B in 0..BATCH
      let k${B} = qkv[base_k + min(c + ${B}u, ${D - 1}u) * t + at];
#endfor
#for B in 0..BATCH
#for Q in 0..TQ
      s${Q} += sh_q[c * ${TQ}u + ${B * TQ + Q}u] * k${B};
#endfor
#endfor
    }
#for B in 0..VC / 4
    var v${B} = qkv[base_v + min(wave + ${4 * B}u, ${D - 1}u) * t + at];
#endfor
#for Q in 0..TQ
    sh_t[wave * ${TQ * 64}u + ${Q * 64}u + key] = s${Q};
#endfor
    workgroupBarrier();
    if (wave < ${TQ}u) {
#for K in 0..OWN
      let own${K} = lane + ${K * 256}u;
      let sum${K} = sh_t[own${K}] + sh_t[own${K} + ${TQ * 64}u] + sh_t[own${K} + ${TQ * 128}u] + sh_t[own${K} + ${TQ * 192}u];
      sh_t[own${K}] = select(-3.0e38, sum${K} * p.scale, k0 + key < t);
#endfor
    }
    workgroupBarrier();
    if (wave < ${TQ}u) {
#for K in 0..OWN
      let row${K} = (wave + ${4 * K}u) * 64u;
      var largest${K} = maximum${K};
#for J in 0..64
      largest${K} = max(largest${K}, sh_t[row${K} + ${J}u]);
#endfor
      let weight${K} = select(0.0, exp(sh_t[row${K} + key] - largest${K}), k0 + key < t);
      let correction${K} = exp(max(maximum${K} - largest${K}, -87.0));
      maximum${K} = largest${K};
      total${K} = total${K} * correction${K} + weight${K};
      sh_p[row${K} + key] = weight${K};
      sh_c[wave + ${4 * K}u] = correction${K};
#endfor
    }
#for E in 0..EL
    workgroupBarrier();
#for B in 0..VC / 4
    sh_t[(wave + ${4 * B}u) * 65u + key] = v${B};
#endfor
    workgroupBarrier();
#if E + 1 < EL
#for B in 0..VC / 4
    v${B} = qkv[base_v + min(wave + ${(E + 1) * VC + 4 * B}u, ${D - 1}u) * t + at];
#endfor
#endif
    {
#for J in 0..KEYS
      let w${J} = sh_t[channel * 65u + part + ${J}u];
#endfor
#for Q in 0..TQ
      a${E}_${Q} *= sh_c[${Q}];
#for J in 0..KEYS
      a${E}_${Q} += sh_p[part + ${Q * 64 + J}u] * w${J};
#endfor
#endfor
    }
#endfor
  }
#include "attention/finish.wgsl"
}
