// dw[part,i,k,o] and db[part,o] of conv2d/weight_gradient.wgsl, as a product over pixels; operands and sizes are the same.
//
// Tile: 256 threads make IG·EACH input channels × K·K taps × 4·OG·EACH output channels. They are SPLIT parts, each with a
// row of pixels of its own, PX of them at a time, the next on their way to registers while these are computed. Within a
// part a thread has EACH input channels × EACH vec4s of output channels. The parts' sums meet at the end, first part first.
// Dispatch: [tiles of input channels, tiles of output channels, parts].
#include "conv2d/weight_gradient_bindings.wgsl"

#let IG = 8
#let PX = 8 / S
#let EACH = 1 + (K == 1)
#let LANES = IG * OG
#let SPLIT = 256 / LANES
#let IW = (PX - 1) * S + K
#let XROW = IG * EACH * K * IW
#let DROW = OG * EACH * PX
#let NX = (XROW + LANES - 1) / LANES
#let ND = (DROW + LANES - 1) / LANES
#let SUMS = K * K * EACH * EACH
#let ROUND = (4096 - SPLIT * XROW) / 1024
var<workgroup> sh_x: array<f32, ${SPLIT * XROW}>;
#if SPLIT * DROW > ROUND * 256
var<workgroup> sh_d: array<vec4<f32>, ${SPLIT * DROW}>;
#else
var<workgroup> sh_d: array<vec4<f32>, ${ROUND * 256}>;
#endif

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let stride4 = (p.oc + 3u) / 4u;
  let plane = p.oh * p.ow;
  let part = lane / ${LANES}u;
  let mine = lane % ${LANES}u;
  let ig = mine / ${OG}u * ${EACH}u;
  let og = mine % ${OG}u * ${EACH}u;
  let itile = group.x * ${IG * EACH}u;
  let otile = group.y * ${OG * EACH}u;
#for A in 0..SUMS + EACH
  var a${A} = vec4<f32>();
#endfor

  // What this thread loads of its part's row: channel, row and column of the window of x, pixels of four channels of dy.
#for E in 0..NX
  let j${E} = min(mine + ${E * LANES}u, ${XROW - 1}u);
  let ky${E} = i32(j${E} / ${IW}u % ${K}u);
  let kx${E} = i32(j${E} % ${IW}u);
  let ci${E} = min(itile + j${E} / ${K * IW}u, p.ic - 1u);
#if CONCAT
  let second${E} = ci${E} >= p.c0;
  let of${E} = i32(select(p.c0, p.ic - p.c0, second${E}) * p.h * p.w);
  let at${E} = (i32((ci${E} - select(0u, p.c0, second${E})) * p.h) + ky${E}) * i32(p.w) + kx${E};
#else
  let at${E} = (i32(ci${E} * p.h) + ky${E}) * i32(p.w) + kx${E};
#endif
  var v${E} = 0.0;
  var okx${E} = false;
#endfor
#for E in 0..ND
  let px${E} = min(mine + ${E * LANES}u, ${DROW - 1}u) % ${PX}u;
  let o${E} = (otile + min(mine + ${E * LANES}u, ${DROW - 1}u) / ${PX}u) * 4u;
  let is${E} = vec4<u32>(o${E}, o${E} + 1u, o${E} + 2u, o${E} + 3u) < vec4<u32>(p.oc);
  let left${E} = p.oc - 1u - min(o${E}, p.oc - 1u);
  let at_d${E} = min(o${E}, p.oc - 1u) * plane + px${E};
  var d${E} = vec4<f32>();
  var okd${E} = false;
#endfor
  let first = group.z * p.rows_part;
  let last = min(first + p.rows_part, p.rows);
  let steps = (last - first + ${SPLIT - 1}u) / ${SPLIT}u * ((p.ow + ${PX - 1}u) / ${PX}u);
  var row = first + part;
  var ox = 0u;
#include "conv2d/weight_gradient_fetch.wgsl"
  for (var step = 1u; step <= steps; step++) {
    workgroupBarrier();
#for E in 0..NX
#if (E + 1) * LANES > XROW
    if (mine + ${E * LANES}u < ${XROW}u) {
#else
    {
#endif
      sh_x[part * ${XROW}u + mine + ${E * LANES}u] = select(0.0, v${E}, okx${E});
    }
#endfor
#for E in 0..ND
#if (E + 1) * LANES > DROW
    if (mine + ${E * LANES}u < ${DROW}u) {
#else
    {
#endif
      sh_d[part * ${DROW}u + mine + ${E * LANES}u] = select(vec4<f32>(), d${E}, is${E} & vec4<bool>(okd${E}));
    }
#endfor
    workgroupBarrier();
    ox += ${PX}u;
    if (ox >= p.ow) {
      ox = 0u;
      row += ${SPLIT}u;
    }
    if (step < steps) {
#include "conv2d/weight_gradient_fetch.wgsl"
    }
    let xb = part * ${XROW}u + ig * ${K * IW}u;
    let db = part * ${DROW}u + og * ${PX}u;
#include "conv2d/weight_gradient_products.wgsl"
  }

  // Row by row of dw: first the taps, then the bias, which the first tile of input channels has.
#for A in 0..SUMS + EACH
#if A % ROUND == 0
  workgroupBarrier();
#for B in 0..ROUND
#if A + B < SUMS + EACH
  sh_d[lane + ${B * 256}u] = a${A + B};
#endif
#endfor
  workgroupBarrier();
#endif
#let TAP = A / EACH / EACH
#let I = A / EACH % EACH
#if A < SUMS
  let i${A} = itile + ig + ${I}u;
  if (part == ${A % SPLIT}u && i${A} < p.ic && otile + og + ${A % EACH}u < stride4) {
    let to = (i${A} * ${K * K}u + ${TAP}u) * stride4 + otile + og + ${A % EACH}u;
#else
  if (part == ${A % SPLIT}u && itile + ig == 0u && otile + og + ${A - SUMS}u < stride4) {
    let to = p.ic * ${K * K}u * stride4 + otile + og + ${A - SUMS}u;
#endif
    var sum = vec4<f32>();
#for B in 0..SPLIT
    sum += sh_d[mine + ${B * LANES + A % ROUND * 256}u];
#endfor
    dw[group.z * (p.ic * ${K * K}u + 1u) * stride4 + to] = sum;
  }
#endfor
}
