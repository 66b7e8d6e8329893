// y[n,o,q] = S·( b[o] + Σ_i Σ_k w[i,k,o]·source[n,i, S·q + k − pad]
//                [+ e[n, offset + o]]  [+ r[n,o,q]  or  b'[o] + Σ_i v[i,o]·concat(r, r2)[n,i,q]] )
//
// Layouts: images NCHW; w [ic·K·K + 1][oc padded to 4], its last row the bias; v the same with K = 1.
// Tile: THREADS threads make TW×TH pixels × 4·OG·OV channels; a thread makes a strip of PX pixels × OV vec4s of channels.
// CI input channels at a time are held in workgroup memory, normalised and activated once for all the tile's channels.
// Dispatch: [tiles of pixels, tiles of channels, batch].
#include "conv2d/bindings.wgsl"

const IW = ${(TW - 1) * S + K}u;
const IH = ${(TH - 1) * S + K}u;
const OT = ${OG * OV}u;
var<workgroup> sh_x: array<f32, ${CI * ((TW - 1) * S + K) * ((TH - 1) * S + K)}>;
var<workgroup> sh_w: array<vec4<f32>, ${CI * K * K * OG * OV}>;

// Rows [first, first + rows) of a weight of `limit` rows, for this tile's channels.
fn load_weights(lane: u32, first: u32, rows: u32, limit: u32, o4: u32, stride4: u32) {
  for (var i = lane; i < rows * OT; i += ${THREADS}u) {
    let row = first + i / OT;
    let v = o4 + i % OT;
    var value = vec4<f32>();
    if (row < limit && v < stride4) {
      value = weight[row * stride4 + v];
    }
    sh_w[i] = value;
  }
}

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.z;
  let tiles_x = (p.ow + ${TW - 1}u) / ${TW}u;
  let tx = (group.x % tiles_x) * ${TW}u;
  let ty = (group.x / tiles_x) * ${TH}u;
  let stride4 = (p.oc + 3u) / 4u;
  let o4 = group.y * OT;
  let strip = lane / ${OG}u;
  let column = (strip % ${TW / PX}u) * ${PX}u;
  let row = strip / ${TW / PX}u;
  let og = (lane % ${OG}u) * ${OV}u;
  let channels = p.src.c0 + p.src.c1;
  let height = i32(p.src.h << ${UP}u);
  let width = i32(p.src.w << ${UP}u);
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor

  for (var c = 0u; c < channels; c += ${CI}u) {
    workgroupBarrier();
    for (var i = lane; i < ${CI}u * IH * IW; i += ${THREADS}u) {
      let ci = c + i / (IH * IW);
      let iy = i32(ty * ${S}u + (i / IW) % IH) - i32(p.pad);
      let ix = i32(tx * ${S}u + i % IW) - i32(p.pad);
      var value = 0.0;
      if (ci < channels && iy >= 0 && iy < height && ix >= 0 && ix < width) {
        value = source(p.src, n, ci, u32(iy), u32(ix));
      }
      sh_x[i] = value;
    }
    load_weights(lane, c * ${K * K}u, ${CI * K * K}u, channels * ${K * K}u, o4, stride4);
    workgroupBarrier();
    for (var ci = 0u; ci < ${CI}u; ci++) {
      let xb = ci * IH * IW + row * ${S}u * IW + column * ${S}u;
      let wb = ci * ${K * K}u * OT + og;
#for KY in 0..K
#for J in 0..(PX - 1) * S + K
      let x${KY}_${J} = sh_x[xb + ${KY}u * IW + ${J}u];
#endfor
#for KX in 0..K
#for V in 0..OV
      let w${KY}_${KX}_${V} = sh_w[wb + ${KY * K + KX}u * OT + ${V}u];
#for P in 0..PX
      a${P}_${V} += w${KY}_${KX}_${V} * x${KY}_${P * S + KX};
#endfor
#endfor
#endfor
#endfor
    }
  }
#include "conv2d/shortcut.wgsl"

  let oy = ty + row;
  let ox0 = tx + column;
  let o_first = o4 + og;
#include "conv2d/epilogue.wgsl"
}
