// The s of dynamic thresholding, for each picture: the quantile of |x0|, x0 = c.x·x + c.m·m, between the order
// statistics `below` and the next, clamped to [1, max] (max wins).
//
// Numbers that are not negative sort as their bits do, so the order statistic is found digit by digit: four passes count
// the values that share the digits found so far, by their next 8 bits. Counts are integers, so the result is exact.
// Layouts: model as in chain/model_output.wgsl; state [planes][K,C,H,W], of which x is read; limits [K].
// Tile: one workgroup of WG threads a picture. Dispatch: [K].
@group(0) @binding(auto) var<storage, read_write> model: array<f32>;
@group(0) @binding(auto) var<storage, read_write> state: array<f32>;
@group(0) @binding(auto) var<storage, read_write> limits: array<f32>;

struct Params {
  count: u32, chw: u32, below: u32, weight: f32,
  guidance: f32, x0_x: f32, x0_m: f32, max_limit: f32,
}
@group(0) @binding(0) var<uniform> p: Params;

#include "chain/model_output.wgsl"

var<workgroup> bins: array<atomic<u32>, 256>;
var<workgroup> digits: u32;  // the bits found so far, from the top
var<workgroup> rank: u32;    // the rank among the values that share them
var<workgroup> same: u32;    // how many values share all of them in the end
var<workgroup> above: atomic<u32>;

fn magnitude(i: u32) -> u32 {
  return bitcast<u32>(abs(p.x0_x * state[i] + p.x0_m * guided_output(model_index(i))));
}

@compute @workgroup_size(${WG})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = group.x * p.chw;
  if (lane == 0u) {
    digits = 0u;
    rank = p.below;
    atomicStore(&above, 0xffffffffu);
  }
#for PASS in 0..4
  for (var bin = lane; bin < 256u; bin += ${WG}u) {
    atomicStore(&bins[bin], 0u);
  }
  workgroupBarrier();
  for (var i = lane; i < p.chw; i += ${WG}u) {
    let value = magnitude(first + i);
#if PASS > 0
    if ((value >> ${32 - 8 * PASS}u) != (digits >> ${32 - 8 * PASS}u)) {
      continue;
    }
#endif
    atomicAdd(&bins[(value >> ${24 - 8 * PASS}u) & 255u], 1u);
  }
  workgroupBarrier();
  if (lane == 0u) {
    var left = rank;
    var bin = 0u;
    for (; bin < 255u; bin++) {
      let held = atomicLoad(&bins[bin]);
      if (left < held) {
        break;
      }
      left -= held;
    }
    rank = left;
    digits |= bin << ${24 - 8 * PASS}u;
    same = atomicLoad(&bins[bin]);
  }
  workgroupBarrier();
#endfor
  // The next order statistic is the same value, or the least one above it.
  let low = digits;
  for (var i = lane; i < p.chw; i += ${WG}u) {
    let value = magnitude(first + i);
    if (value > low) {
      atomicMin(&above, value);
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    let s = bitcast<f32>(low);
    var next = s;
    let least = atomicLoad(&above);
    if (rank + 1u >= same && least != 0xffffffffu) {
      next = bitcast<f32>(least);
    }
    limits[group.x] = min(max(s + p.weight * (next - s), 1.0), p.max_limit);
  }
}
