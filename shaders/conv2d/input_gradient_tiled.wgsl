// dx of conv2d/input_gradient.wgsl as a convolution of dy with the weight turned around, in the tiles of conv2d/tiled.wgsl;
// operands and sizes are the first one's.
// Dispatch: [tiles of pixels, tiles of channels, batch].
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read> weight: array<f32>;
#if AFTER
#include "shared/source_bindings.wgsl"
#endif
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;

#if AFTER
#include "shared/source.wgsl"
#include "shared/activation_slope.wgsl"
#else
struct Source { c0: u32, c1: u32, h: u32, w: u32 }
#endif

struct Params {
  src: Source,
  oc: u32, oh: u32, ow: u32, ic: u32,
  h: u32, w: u32, strips: u32, batch: u32,
}
@group(0) @binding(0) var<uniform> p: Params;

#let OT = OG * OV
#let THREADS = 256
#let PX = 4
#let STRIPS = TW * TH / PX
#let LANES = STRIPS * OG
#let SPLIT = THREADS / LANES
#let SX = TW
#if FLAT
#let SX = TW / PX
#endif
#let CH = SPLIT * CI
#let XN = CH * (TW - 1 + K) * (TH - 1 + K)
#let WN = CH * K * K * OT
#if WN < THREADS
#let WN = THREADS
#endif
#let PER = THREADS / CH
var<workgroup> sh_x: array<f32, ${XN}>;
var<workgroup> sh_w: array<vec4<f32>, ${WN}>;

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.z;
  let tiles_x = (p.w + ${TW - 1}u) / ${TW}u;
  let tx = (group.x % tiles_x) * ${TW}u;
  let ty = (group.x / tiles_x) * ${TH}u;
  let stride4 = (p.oc + 3u) / 4u;
  let o4 = group.y * ${OT}u;
  let part = lane / ${LANES}u;
  let og = (lane / ${STRIPS}u) % ${OG}u * ${OV}u;
  let strip = lane % ${STRIPS}u;
  let column = strip % ${SX}u;
  let row = strip / ${SX}u * ${PX}u;
  // As a loader, a thread has one channel of the chunk and every PER-th pixel of it.
  let channel = lane / ${PER}u;
  let pixel = lane % ${PER}u;
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor

#let PHASE = 2
#include "conv2d/accumulate.wgsl"

  // The parts' sums, as in conv2d/finish.wgsl, times the slope.
  let l = min(part, 3u);
#for V in 0..OV
  let i${V} = (o4 + og + ${V}u) * 4u + l;
#if AFTER
  let ab${V} = source_affine(p.src, n, min(i${V}, p.ic - 1u));
#endif
#for P in 0..PX
  let y${P}_${V} = ty + row + ${P * (1 - FLAT)}u;
  let x${P}_${V} = tx + column + ${P * FLAT * SX}u;
#if AFTER
  let s${P}_${V} = source_before(p.src, n, min(i${V}, p.ic - 1u), min(y${P}_${V}, p.h - 1u), min(x${P}_${V}, p.w - 1u), ab${V});
#endif
#endfor
#endfor
#for V in 0..OV
#for P in 0..PX
  {
    workgroupBarrier();
    sh_w[lane] = a${P}_${V};
    workgroupBarrier();
    var sum = 0.0;
#for PART in 0..SPLIT
    sum += sh_w[lane % ${LANES}u + ${PART * LANES}u][l];
#endfor
#if AFTER
    sum *= activate_slope(s${P}_${V});
#endif
    if (part < 4u && i${V} < p.ic && y${P}_${V} < p.h && x${P}_${V} < p.w) {
      dx[((n * p.ic + i${V}) * p.h + y${P}_${V}) * p.w + x${P}_${V}] = sum;
    }
  }
#endfor
#endfor
}
