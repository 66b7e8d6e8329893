// tiled.wgsl's algebra and layouts, for adapters that are processors: no workgroup memory and no barriers, which there
// cost more than they save (but for two where there are moments to merge), and little code, since it is compiled again for every page.
//
// Tile: a thread makes a strip of PX pixels × OV vec4s of channels on its own. Dispatch: linear_grid(strips × channel
// groups) × batch, strips fastest.
#include "conv2d/bindings.wgsl"
#include "shared/index.wgsl"
#if MERGE
var<workgroup> sh_w: array<vec4<f32>, 64>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = thread_index(group, lane);
  let stride4 = (p.oc + 3u) / 4u;
  let strips_x = (p.ow + ${PX - 1}u) / ${PX}u;
  let strips = strips_x * p.oh;
  let groups = (stride4 + ${OV - 1}u) / ${OV}u;
  let n = group.z;
#if MERGE
#let LANES = 64
#let LOADS = 1
#include "conv2d/merge.wgsl"
#endif
  if (index >= strips * groups) {
    return;
  }
  let o_first = index / strips * ${OV}u;
  let oy = index % strips / strips_x;
  let ox0 = index % strips_x * ${PX}u;
  let channels = p.src.c0 + p.src.c1;
  let height = i32(p.src.h << ${UP}u);
  let width = i32(p.src.w << ${UP}u);
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor
  var line: array<f32, ${(PX - 1) * S + K}>;

  for (var c = 0u; c < channels; c++) {
    let ab = source_affine(p.src, n, c);
    for (var ky = 0u; ky < ${K}u; ky++) {
      let iy = i32(oy * ${S}u + ky) - i32(p.pad);
      if (iy < 0 || iy >= height) {
        continue;
      }
      for (var j = 0u; j < ${(PX - 1) * S + K}u; j++) {
        let ix = i32(ox0 * ${S}u + j) - i32(p.pad);
        line[j] = 0.0;
        if (ix >= 0 && ix < width) {
          line[j] = source_value(p.src, n, c, u32(iy), u32(ix), ab);
        }
      }
      let wb = (c * ${K}u + ky) * ${K}u * stride4 + o_first;
#for KX in 0..K
#for V in 0..OV
      let w${KX}_${V} = four(weight[wb + ${KX}u * stride4 + ${V}u]);
#for P in 0..PX
      a${P}_${V} += w${KX}_${V} * line[${P * S + KX}];
#endfor
#endfor
#endfor
    }
  }
#if SHORTCUT
  for (var c = 0u; c < p.r0 + p.r1; c++) {
    for (var j = 0u; j < ${PX}u; j++) {
      line[j] = 0.0;
      if (ox0 + j < p.ow) {
        line[j] = shortcut_input(n, c, oy * p.ow + ox0 + j);
      }
    }
#for V in 0..OV
    let v${V} = four(shortcut[c * stride4 + o_first + ${V}u]);
#for P in 0..PX
    a${P}_${V} += v${V} * line[${P}];
#endfor
#endfor
  }
#endif
#include "conv2d/epilogue.wgsl"
}
