// L[n,h,q] = ln Σ_j exp(scale·Σ_i Q[i,q]·K[i,j]), by running maximum and sum, and D[n,h,q] = Σ_i dy[i,q]·y[i,q].
// Layouts: dy, y [N, heads·d, tokens], qkv [N, 3·heads·d, tokens], rows [N, heads, 2, tokens].
// Tile: KS threads, 8, share the keys of one query of one head. Dispatch: linear_grid(N × heads × tokens × KS).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;
@group(0) @binding(auto) var<storage, read_write> rows: array<f32>;

struct Params { batch: u32, heads: u32, d: u32, tokens: u32, scale: f32, _a: u32, _b: u32, _c: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

#let KS = 8
#let QUERIES = 64 / KS
var<workgroup> sh: array<vec3<f32>, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let t = p.tokens;
  let all = p.batch * p.heads * t;
  let mine = thread_index(group, 0u) / ${KS}u + lane % ${QUERIES}u;
  let index = min(mine, all - 1u);
  let part = lane / ${QUERIES}u;
  let query = index % t;
  let head = index / t;
  let base_y = head * p.d * t;
  let base_q = ((head / p.heads) * 3u * p.heads + head % p.heads) * p.d * t;
  let base_k = base_q + p.heads * p.d * t;
  var maximum = -3.0e38;
  var total = 0.0;
  for (var j = part; j < t; j += ${KS * 8}u) {
#for J in 0..8
    let j${J} = base_k + min(j + ${J * KS}u, t - 1u);
    var s${J} = 0.0;
#endfor
    for (var i = 0u; i < p.d; i += 4u) {
#for I in 0..4
      let i${I} = min(i + ${I}u, p.d - 1u) * t;
      let q${I} = qkv[base_q + i${I} + query];
#for J in 0..8
      let k${I}_${J} = qkv[j${J} + i${I}];
#endfor
#endfor
#for I in 0..4
      let u${I} = select(0.0, q${I}, i + ${I}u < p.d);
#for J in 0..8
      s${J} += u${I} * k${I}_${J};
#endfor
#endfor
    }
    var larger = maximum;
#for J in 0..8
    s${J} = select(-3.0e38, s${J} * p.scale, j + ${J * KS}u < t);
    larger = max(larger, s${J});
#endfor
    total *= exp(max(maximum - larger, -87.0));
#for J in 0..8
    total += select(0.0, exp(max(s${J} - larger, -87.0)), j + ${J * KS}u < t);
#endfor
    maximum = larger;
  }
  var d = 0.0;
  for (var i = part; i < p.d; i += ${KS}u) {
    let at = base_y + i * t + query;
    d += dy[at] * y[at];
  }
  sh[lane] = vec3<f32>(maximum, total, d);
  workgroupBarrier();
  if (part > 0u) {
    return;
  }
#for S in 1..KS
  let o${S} = sh[lane + ${S * QUERIES}u];
  let m${S} = max(maximum, o${S}.x);
  total = total * exp(max(maximum - m${S}, -87.0)) + o${S}.y * exp(max(o${S}.x - m${S}, -87.0));
  d += o${S}.z;
  maximum = m${S};
#endfor
  if (mine < all) {
    rows[head * 2u * t + query] = maximum + log(total);
    rows[(head * 2u + 1u) * t + query] = d;
  }
}
