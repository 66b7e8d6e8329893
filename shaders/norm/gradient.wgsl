// Group normalisation's gradient, z = γ·x̂·(1 + s) + β·(1 + s) + t with x̂ = (x − m)·r. Per channel P = Σ dz·x̂ and Q = Σ dz, per
// group g₁ = Σ γ(1 + s)Q/M and g₂ = Σ γ(1 + s)P/M; then dx = r·(γ(1 + s)·dz − g₁ − x̂·g₂) [+ r (RESIDUAL)], of this sample
// dγ = (1 + s)P and dβ = (1 + s)Q, with an embedding (MODULATE) de = (γP + βQ, Q); e[offset + c] = Σ_pixels dx (ENTRIES).
//
// Layouts: dz, r [N,C,hw]; x [N,c0,hw], x2 [N,c1,hw] (CONCAT); terms [2][N][C padded to 4]: dγ, dβ; dx as dz, or as x and x2
// (SPLIT); de [N,2,C]; e [N,e_len]. Two passes to P, so that a large mean costs no digits.
// Tile: one workgroup of WG threads a group of a sample. TEAMS teams of T threads have a channel each, and BATCH of its pixels
// at a time; where that is all (ONCE), every pass has them still. Dispatch: [groups, batch].
@group(0) @binding(auto) var<storage, read_write> dz: array<f32>;
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read> gamma: array<f32>;
#if MODULATE
@group(0) @binding(auto) var<storage, read> beta: array<f32>;
@group(0) @binding(auto) var<storage, read_write> embedding: array<f32>;
#endif
#if RESIDUAL
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> terms: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;
#if SPLIT
@group(0) @binding(auto) var<storage, read_write> dx2: array<f32>;
#endif
#if MODULATE
@group(0) @binding(auto) var<storage, read_write> de: array<f32>;
#endif
#if ENTRIES
@group(0) @binding(auto) var<storage, read_write> e: array<f32>;
#endif

struct Params { c0: u32, c1: u32, hw: u32, groups: u32, e_offset: u32, e_len: u32, eps: f32, batch: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

#include "norm/teams.wgsl"

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.y;
  let channels = p.c0 + p.c1;
  let per = channels / p.groups;
  let count = f32(per * p.hw);
  let first = group.x * per;
  let team = lane / ${T}u;

  var sum = 0.0;
#include "norm/gradient_pixels.wgsl"
#for B in 0..BATCH
    sum += select(0.0, v${B}, in${B});
#endfor
#include "norm/gradient_end.wgsl"
  let mean = sum_all(lane, sum) / count;
  var squares = 0.0;
#include "norm/gradient_again.wgsl"
#for B in 0..BATCH
    squares += select(0.0, (v${B} - mean) * (v${B} - mean), in${B});
#endfor
#include "norm/gradient_end.wgsl"
  let inverse = 1.0 / sqrt(sum_all(lane, squares) / count + p.eps);

  var g = vec2<f32>();
#if ONCE == 0
  for (var chunk = 0u; chunk < per; chunk += ${TEAMS}u) {
#else
  {
    let chunk = 0u;
#endif
    let own = chunk + team < per;
    let channel = first + min(chunk + team, per - 1u);
    var part = vec2<f32>();
#if ONCE == 0
    let c = channel;
    for (var q = select(p.hw, lane % ${T}u, own); q < p.hw; q += ${T * BATCH}u) {
#include "norm/gradient_load.wgsl"
#endif
#for B in 0..BATCH
    part += select(vec2<f32>(), vec2<f32>((v${B} - mean) * z${B}, z${B}), in${B});
#endfor
#if ONCE == 0
    }
#endif
    let sums = sum_team(lane, part) * vec2<f32>(inverse, 1.0);
    if (own && lane % ${T}u == 0u) {
      var s = 1.0;
#if MODULATE
      s += embedding[n * p.e_len + p.e_offset + channel];
      de[n * 2u * channels + channel] = gamma[channel] * sums.x + beta[channel] * sums.y;
      de[(n * 2u + 1u) * channels + channel] = sums.y;
#endif
      g += gamma[channel] * s * sums;
      let stride = (channels + 3u) / 4u * 4u;
      terms[n * stride + channel] = s * sums.x;
      terms[(p.batch + n) * stride + channel] = s * sums.y;
    }
  }
  // The teams' sums, first team first.
  workgroupBarrier();
  if (lane % ${T}u == 0u) {
    sh_pairs[team] = g;
  }
  workgroupBarrier();
  var all = sh_pairs[0];
#for K in 1..TEAMS
  all += sh_pairs[${K}];
#endfor
  let shift = inverse * all.y / count;
  let slope = inverse * inverse * all.x / count;

#if ONCE == 0
  for (var chunk = 0u; chunk < per; chunk += ${TEAMS}u) {
#else
  {
    let chunk = 0u;
#endif
    let own = chunk + team < per;
    let channel = first + min(chunk + team, per - 1u);
    var scale = inverse * gamma[channel];
#if MODULATE
    scale *= 1.0 + embedding[n * p.e_len + p.e_offset + channel];
#endif
#include "norm/gradient_write.wgsl"
  }
}
