// The same as tiled.wgsl for K = 3, S = 1, by Winograd's F(2×2, 3×3): y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A for every 2×2 outputs,
// 16 products where the sum has 36. Transforms are of ±1 and ½: the error is at most twice that of the plain sum.
//
// A workgroup makes 8×8 pixels (16 such blocks) × 32 channels. A thread multiplies for one of the 16 places of a transformed
// block, four blocks × two vec4s of channels. A chunk of CH input channels is normalised and activated into sh_x,
// transformed into sh_w; its weights are transformed on their way into sh_u. Indices that depend on the thread are
// constants of the loop, so that a compiler that bounds them does so once.
// Dispatch: [tiles of pixels, tiles of channels, batch].
#include "conv2d/bindings.wgsl"
#let THREADS = 256
#let T = 8
#let CH = 4
#let IW = T + 2
#let AREA = IW * IW
#let PER = THREADS / CH
#let NX = (AREA + PER - 1) / PER
// Two pixels of a row each.
var<workgroup> sh_x: array<vec2<f32>, ${CH * AREA / 2}>;
// By place, channel and row of blocks: the row's four blocks. Later sums, one a thread.
var<workgroup> sh_w: array<vec4<f32>, ${THREADS}>;
// By place's row and column and the thread's channels; the ninth keeps threads off each other's banks.
var<workgroup> sh_u: array<array<array<array<vec4<f32>, ${2 * CH + 1}>, 4>, 4>, 4>;

#if WEIGHTS
// Output c of four: l's word, and which half.
fn weight_at(i: u32, c: u32) -> f32 {
#if WEIGHTS == 1
  return unpack2x16float(weight[i][c / 2u])[c % 2u];
#else
  return bitcast<f32>((weight[i][c / 2u] >> (16u * (c % 2u))) << 16u);
#endif
}
#else
fn weight_at(i: u32, c: u32) -> f32 {
  return weight[i][c];
}
#endif

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.z;
  let tiles_x = (p.ow + ${T - 1}u) / ${T}u;
  let tx = (group.x % tiles_x) * ${T}u;
  let ty = (group.x / tiles_x) * ${T}u;
  let terms = p.src.c0 + p.src.c1;
  let stride4 = (p.oc + 3u) / 4u;
  let o4 = group.y * 8u;
  // As it multiplies: a place, a row of blocks, and 8 channels.
  let place_y = lane / 64u;
  let place_x = lane / 16u % 4u;
  let og = lane / 4u % 4u;
  let blocks = lane % 4u;
#for V in 0..2
#for B in 0..4
  var a${B}_${V} = vec4<f32>();
#endfor
#endfor
  // As it loads the image: a channel, and every PER-th pixel of the tile with its border.
  let channel = lane / ${PER}u;
  let pixel = lane % ${PER}u;
  let plane = p.src.h * p.src.w;
  let height = i32(p.src.h << ${UP}u);
  let width = i32(p.src.w << ${UP}u);
#for E in 0..NX
  let iy${E} = i32(ty + (pixel + ${E * PER}u) / ${IW}u) - i32(p.pad);
  let ix${E} = i32(tx + (pixel + ${E * PER}u) % ${IW}u) - i32(p.pad);
  let ok${E} = iy${E} >= 0 && iy${E} < height && ix${E} >= 0 && ix${E} < width;
  let at${E} = select(0u, (u32(iy${E}) >> ${UP}u) * p.src.w + (u32(ix${E}) >> ${UP}u), ok${E});
  let into${E} = channel * ${AREA}u + pixel + ${E * PER}u;
  var v${E} = 0.0;
#endfor
  // As it transforms weights: a channel, an output, and rows 0 and 1 of G w Gᵀ or 3 and 2.
  let wc = lane / 64u;
  let lower = lane / 32u % 2u;
  let o = lane % 32u;
  let w_from = min(o4 + o / 4u, stride4 - 1u);
  let sign = 0.5 - f32(lower);
#for K9 in 0..9
  var w${K9} = 0.0;
#endfor
  // As it transforms the image: a channel, a row of Bᵀ x B, and a block. The row is that of two of x.
  let xc = lane / 64u;
  let xr = lane / 16u % 4u;
  let block = lane % 16u;
  let second = select(select(2u, 1u, xr == 2u), 3u, xr == 3u);
  let x_sign = select(-1.0, 1.0, xr == 1u);
  let corner = xc * ${AREA / 2}u + block / 4u * ${IW}u + block % 4u;
  let x_first = corner + min(xr, 4u - xr) * ${IW / 2}u;
  let x_second = corner + second * ${IW / 2}u;
  let x_to = (xr * ${4 * CH}u + xc) * 4u + block / 4u;
  let mine = (place_y * 4u + place_x) * ${4 * CH}u + blocks;
  var ab = vec2<f32>(1.0, 0.0);
  var next = 0u;
#include "conv2d/winograd_fetch.wgsl"
#if MERGE
#let LANES = THREADS
#let LOADS = 8
#include "conv2d/merge.wgsl"
  let inverse = 1.0 / f32(p.per);
#endif
  for (var c = 0u; c < terms; c = next) {
    let inside = c + channel < terms;
#if MERGE
    let stats = sh_group[u32((f32(min(c + channel, terms - 1u)) + 0.5) * inverse)];
    ab = vec2<f32>(ab.x * stats.y, ab.y - stats.x * ab.x * stats.y);
#endif
    workgroupBarrier();
#for E in 0..NX
#if (E + 1) * PER > AREA
    if (pixel + ${E * PER}u < ${AREA}u) {
#else
    {
#endif
      sh_x[into${E} / 2u][into${E} % 2u] = select(0.0, activate(v${E} * ab.x + ab.y), ok${E} && inside);
    }
#endfor
#include "conv2d/winograd_transform.wgsl"
    workgroupBarrier();
#for C in 0..CH
    {
      let x = sh_w[mine + ${4 * C}u];
#for V in 0..2
      let u${V} = sh_u[place_y][place_x][og][${2 * C + V}];
#for B in 0..4
      a${B}_${V} += u${V} * x[${B}];
#endfor
#endfor
    }
#endfor
  }
#include "conv2d/winograd_finish.wgsl"
}
