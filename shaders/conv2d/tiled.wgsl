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

#let APART = S
#include "conv2d/tile.wgsl"

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.z;
  let tiles_x = (p.ow + ${TW - 1}u) / ${TW}u;
  let tx = (group.x % tiles_x) * ${TW}u;
  let ty = (group.x / tiles_x) * ${TH}u;
  let channels = p.src.c0 + p.src.c1;
#include "conv2d/lanes.wgsl"

#for PHASE in 0..1 + SHORTCUT
#include "conv2d/accumulate.wgsl"
#endfor
#include "conv2d/finish.wgsl"
}
