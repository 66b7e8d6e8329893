// L[n,h,q] = ln Σ_j exp(scale·Σ_i Q[i,q]·K[i,j]), by running maximum and sum, and D[n,h,q] = Σ_i dy[i,q]·y[i,q].
// Layouts: dy, y [N, heads·d, tokens], qkv [N, 3·heads·d, tokens], rows [N, heads, 2, tokens].
// Tile: a thread handles one query of one head. Dispatch: linear_grid(N × heads × tokens).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;
@group(0) @binding(auto) var<storage, read_write> rows: array<f32>;

struct Params { batch: u32, heads: u32, d: u32, tokens: u32, scale: f32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = thread_index(group, lane);
  let t = p.tokens;
  if (index >= p.batch * p.heads * t) {
    return;
  }
  let query = index % t;
  let head = index / t;
  let base_y = head * p.d * t;
  let base_q = ((head / p.heads) * 3u * p.heads + head % p.heads) * p.d * t;
  let base_k = base_q + p.heads * p.d * t;
  var maximum = -3.0e38;
  var total = 0.0;
  for (var j = 0u; j < t; j++) {
    var s = 0.0;
    for (var i = 0u; i < p.d; i++) {
      s += qkv[base_q + i * t + query] * qkv[base_k + i * t + j];
    }
    s *= p.scale;
    let larger = max(maximum, s);
    total = total * exp(max(maximum - larger, -87.0)) + exp(max(s - larger, -87.0));
    maximum = larger;
  }
  var d = 0.0;
  for (var i = 0u; i < p.d; i++) {
    let at = base_y + i * t + query;
    d += dy[at] * y[at];
  }
  rows[head * 2u * t + query] = maximum + log(total);
  rows[(head * 2u + 1u) * t + query] = d;
}
