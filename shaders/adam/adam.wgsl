// g' = g·min(1, clip/(norm + 1e-6)); m = β₁m + (1 − β₁)g'; v = β₂v + (1 − β₂)g'²;
// w = keep·w − rate·m/(√v/correction + ε); ema = d·ema + (1 − d)·w; g = 0. Nothing where the norm is not finite, which
// its exponent's bits tell: WGSL lets a compiler assume that there are no infinities.
// Layouts: all [len]. Tile: a thread makes one element. Dispatch: linear_grid(len).
@group(0) @binding(auto) var<storage, read_write> norm: array<f32>;
@group(0) @binding(auto) var<storage, read_write> g: array<f32>;
@group(0) @binding(auto) var<storage, read_write> w: array<f32>;
@group(0) @binding(auto) var<storage, read_write> m: array<f32>;
@group(0) @binding(auto) var<storage, read_write> v: array<f32>;
@group(0) @binding(auto) var<storage, read_write> ema: array<f32>;

struct Params {
  len: u32, enabled: u32, beta1: f32, beta1_rest: f32,
  beta2: f32, beta2_rest: f32, keep: f32, rate: f32,
  correction: f32, epsilon: f32, clip: f32, d: f32,
  d_rest: f32, _a: u32, _b: u32, _c: u32,
}
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  let finite = (bitcast<u32>(norm[0]) & 0x7f800000u) != 0x7f800000u;
  if (i >= p.len || p.enabled == 0u || !finite) {
    return;
  }
  var factor = 1.0;
  if (p.clip > 0.0) {
    factor = min(1.0, p.clip / (norm[0] + 1e-6));
  }
  let gradient = g[i] * factor;
  let mean = p.beta1 * m[i] + p.beta1_rest * gradient;
  let square = p.beta2 * v[i] + p.beta2_rest * gradient * gradient;
  let weight = p.keep * w[i] - p.rate * mean / (sqrt(square) / p.correction + p.epsilon);
  g[i] = 0.0;
  m[i] = mean;
  v[i] = square;
  w[i] = weight;
  ema[i] = p.d * ema[i] + p.d_rest * weight;
}
