// s[n] = the quantile of |x0| over sample n, at least 1 and at most `largest` (dynamic thresholding, Saharia et al.
// 2022): low + weight·(high − low), low and high being the values of rank `rank` and `rank` + 1.
//   x0 = x0_x·x + x0_m·m, m as in solver_step.wgsl.
//
// The bits of non-negative floats are in their order, so the value of a rank is found bit by bit, by counting: exact,
// and without a sort. |x0| stands in the state's plane of x0 meanwhile, which the step will overwrite.
// Layouts: model, state as in solver_step.wgsl; limits [K]. Tile: a workgroup of WG threads a sample. Dispatch: [K].
@group(0) @binding(auto) var<storage, read_write> model: array<f32>;
@group(0) @binding(auto) var<storage, read_write> state: array<f32>;
@group(0) @binding(auto) var<storage, read_write> limits: array<f32>;

struct Params {
  count: u32, chw: u32, rank: u32, weight: f32,
  x0_x: f32, x0_m: f32, largest: f32, guidance: f32,
}
@group(0) @binding(0) var<uniform> p: Params;

var<workgroup> sh: array<u32, ${WG}>;

// The sum (or, with `minimum`, the least) of what the threads bring, known to all.
fn combine(lane: u32, value: u32, minimum: bool) -> u32 {
  workgroupBarrier();
  sh[lane] = value;
  for (var half = ${WG / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      let a = sh[lane];
      let b = sh[lane + half];
      sh[lane] = select(a + b, min(a, b), minimum);
    }
  }
  workgroupBarrier();
  return sh[0];
}

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.x;
  let first = n * p.chw;
  let plane = p.count + first;
  for (var i = lane; i < p.chw; i += ${WG}u) {
#if LEARNED
    let at = 2u * first + i;
    let half = 2u * p.count;
#else
    let at = first + i;
    let half = p.count;
#endif
    var m = model[at];
#if GUIDED
    let any = model[at + half];
    m = any + p.guidance * (m - any);
#endif
    state[plane + i] = abs(p.x0_x * state[first + i] + p.x0_m * m);
  }
  // A thread counts only what it has written itself, so no storage barrier is needed.
  var low = 0u;
  for (var bit = 31u; bit > 0u; bit--) {
    let candidate = low | (1u << (bit - 1u));
    var below = 0u;
    for (var i = lane; i < p.chw; i += ${WG}u) {
      below += select(0u, 1u, bitcast<u32>(state[plane + i]) < candidate);
    }
    if (combine(lane, below, false) <= p.rank) {
      low = candidate;
    }
  }
  var within = 0u;
  var above = 0x7f800000u;
  for (var i = lane; i < p.chw; i += ${WG}u) {
    let bits = bitcast<u32>(state[plane + i]);
    within += select(0u, 1u, bits <= low);
    above = min(above, select(0x7f800000u, bits, bits > low));
  }
  let counted = combine(lane, within, false);
  let next = combine(lane, above, true);
  if (lane == 0u) {
    let a = bitcast<f32>(low);
    let b = select(bitcast<f32>(next), a, counted > p.rank + 1u || counted == p.chw);
    limits[n] = min(max(a + p.weight * (b - a), 1.0), p.largest);
  }
}
