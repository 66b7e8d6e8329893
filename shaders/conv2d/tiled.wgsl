// y[n,o,q] = S·( b[o] + Σ_i Σ_k w[i,k,o]·source[n,i, S·q + k − pad]
//                [+ e[n, offset + o]]  [+ r[n,o,q]  or  b'[o] + Σ_i v[i,o]·concat(r, r2)[n,i,q]] )
//
// Layouts: images NCHW; w [ic·K·K + 1][oc padded to 4], its last row the bias; v the same with K = 1.
// Tile: THREADS threads make TW×TH pixels × 4·OG·OV channels. They are SPLIT parts, each with CI input channels of every
// chunk of SPLIT·CI: the parts' sums meet at the end in workgroup memory. Within a part a thread makes PX pixels below
// one another (FLAT, where the image is one row: SX apart) × OV vec4s of channels. A chunk is held in workgroup memory,
// normalised and activated once for all the tile's channels, while the next is on its way to registers.
// Dispatch: [tiles of pixels, tiles of channels, batch].
#include "conv2d/bindings.wgsl"

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
#let XN = CH * ((TW - 1) * S + K) * ((TH - 1) * S + K)
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
  let tiles_x = (p.ow + ${TW - 1}u) / ${TW}u;
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
  let channels = p.src.c0 + p.src.c1;
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor

#for PHASE in 0..1 + SHORTCUT
#include "conv2d/accumulate.wgsl"
#endfor
#include "conv2d/finish.wgsl"
}
