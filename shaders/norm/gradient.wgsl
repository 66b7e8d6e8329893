// Terms of group normalisation's gradient, z = γ·x̂·(1 + s) + β·(1 + s) + t with x̂ = (x − m)·r. Per channel P = Σ dz·x̂ and
// Q = Σ dz, per group g₁ = Σ γ(1 + s)Q/M and g₂ = Σ γ(1 + s)P/M; then dx = A·dz + B·x + C with A = r·γ(1 + s), B = −r²·g₂,
// C = −r·g₁ − B·m; dγ = (1 + s)P, dβ = (1 + s)Q, ds = γP + βQ, dt = Q of this sample.
//
// Layouts: dz [N,C,hw]; x [N,c0,hw], x2 [N,c1,hw] (CONCAT); terms [N, 5 or 7 (MODULATE), C] in the order A B C dγ dβ ds dt.
// Tile: one workgroup of WG threads a group of a sample. Dispatch: [groups, batch].
@group(0) @binding(auto) var<storage, read_write> dz: array<f32>;
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read> gamma: array<f32>;
@group(0) @binding(auto) var<storage, read> beta: array<f32>;
#if MODULATE
@group(0) @binding(auto) var<storage, read_write> embedding: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> terms: array<f32>;

struct Params { c0: u32, c1: u32, hw: u32, groups: u32, e_offset: u32, e_len: u32, eps: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/reduce.wgsl"

var<workgroup> sh_pairs: array<vec2<f32>, ${WG}>;

// As sum_all, for two sums at a time.
fn sum_pairs(lane: u32, value: vec2<f32>) -> vec2<f32> {
  sh_pairs[lane] = value;
  workgroupBarrier();
  if (lane < 16u) {
    var part = value;
#for K in 1..WG / 16
    part += sh_pairs[lane + ${K * 16}u];
#endfor
    sh_pairs[lane] = part;
  }
  workgroupBarrier();
  var total = sh_pairs[0];
#for K in 1..16
  total += sh_pairs[${K}];
#endfor
  workgroupBarrier();
  return total;
}

// Element i of sample n, counted over both sources.
fn element(n: u32, i: u32) -> f32 {
  let first = p.c0 * p.hw;
#if CONCAT
  if (i >= first) {
    return x2[n * p.c1 * p.hw + i - first];
  }
#endif
  return x[n * first + i];
}

fn gain(n: u32, c: u32) -> f32 {
#if MODULATE
  return 1.0 + embedding[n * p.e_len + p.e_offset + c];
#else
  return 1.0;
#endif
}

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.y;
  let channels = p.c0 + p.c1;
  let per = channels / p.groups;
  let count = per * p.hw;
  let first = group.x * count;
  let rows = ${5 + 2 * MODULATE}u;

  var sum = 0.0;
#let BATCH = 8
  for (var i = lane; i < count; i += ${WG * BATCH}u) {
#include "norm/batch.wgsl"
#for B in 0..BATCH
    sum += select(0.0, v${B}, i + ${WG * B}u < count);
#endfor
  }
  let mean = sum_all(lane, sum) / f32(count);
  var squares = 0.0;
  for (var i = lane; i < count; i += ${WG * BATCH}u) {
#include "norm/batch.wgsl"
#for B in 0..BATCH
    squares += select(0.0, (v${B} - mean) * (v${B} - mean), i + ${WG * B}u < count);
#endfor
  }
  let r = 1.0 / sqrt(sum_all(lane, squares) / f32(count) + p.eps);

  var g1 = 0.0;
  var g2 = 0.0;
  for (var j = 0u; j < per; j++) {
    let c = group.x * per + j;
    var part_p = 0.0;
    var part_q = 0.0;
    for (var i = lane; i < p.hw; i += ${WG * 4}u) {
#for B in 0..4
      let i${B} = c * p.hw + min(i + ${WG * B}u, p.hw - 1u);
      let z${B} = dz[n * channels * p.hw + i${B}];
      let v${B} = element(n, i${B});
#endfor
#for B in 0..4
      let d${B} = select(0.0, z${B}, i + ${WG * B}u < p.hw);
      part_p += d${B} * (v${B} - mean);
      part_q += d${B};
#endfor
    }
    let sums = sum_pairs(lane, vec2<f32>(part_p, part_q));
    let sum_p = sums.x * r;
    let sum_q = sums.y;
    let s = gain(n, c);
    g1 += gamma[c] * s * sum_q;
    g2 += gamma[c] * s * sum_p;
    if (lane == 0u) {
      let at = n * rows * channels + c;
      terms[at] = r * gamma[c] * s;
      terms[at + 3u * channels] = s * sum_p;
      terms[at + 4u * channels] = s * sum_q;
#if MODULATE
      terms[at + 5u * channels] = gamma[c] * sum_p + beta[c] * sum_q;
      terms[at + 6u * channels] = sum_q;
#endif
    }
  }
  let slope = -r * r * g2 / f32(count);
  for (var j = lane; j < per; j += ${WG}u) {
    let at = n * rows * channels + group.x * per + j;
    terms[at + channels] = slope;
    terms[at + 2u * channels] = -r * g1 / f32(count) - slope * mean;
  }
}
