// tiled.wgsl's algebra and layouts, for adapters that are processors: no workgroup memory and no barriers, which there
// cost more than they save (but for two where there are moments to merge), and little code, since it is compiled again for every page.
// SwiftShader blends whatever a branch or a turn of a loop may change, lane by lane, some ten instructions a number: so a
// channel's taps are one expression without a branch, and the end is a loop over an array.
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
  let plane = p.src.h * p.src.w;
#let IW = (PX - 1) * S + K
  // Where the strip's pixels lie in a plane; those of the padding are read elsewhere in it, and count as zero.
#for X in 0..IW
  let ix${X} = i32(ox0 * ${S}u) + ${X} - i32(p.pad);
  let in_row${X} = ix${X} >= 0 && ix${X} < width;
  let at${X} = u32(clamp(ix${X}, 0, width - 1)) >> ${UP}u;
#endfor
#for Y in 0..K
  let iy${Y} = i32(oy * ${S}u) + ${Y} - i32(p.pad);
  let in_column${Y} = iy${Y} >= 0 && iy${Y} < height;
  let row${Y} = (u32(clamp(iy${Y}, 0, height - 1)) >> ${UP}u) * p.src.w;
#endfor
#for V in 0..OV
#for P in 0..PX
  var a${P}_${V} = vec4<f32>();
#endfor
#endfor

  for (var c = 0u; c < channels; c++) {
    let ab = source_affine(p.src, n, c);
#if CONCAT
#for Y in 0..K
#for X in 0..IW
    var v${Y}_${X}: f32;
#endfor
#endfor
    if (c >= p.src.c0) {
      let base = (n * p.src.c1 + c - p.src.c0) * plane;
#for Y in 0..K
#for X in 0..IW
      v${Y}_${X} = x2[base + row${Y} + at${X}];
#endfor
#endfor
    } else {
      let base = (n * p.src.c0 + c) * plane;
#for Y in 0..K
#for X in 0..IW
      v${Y}_${X} = x[base + row${Y} + at${X}];
#endfor
#endfor
    }
#else
    let base = (n * p.src.c0 + c) * plane;
#for Y in 0..K
#for X in 0..IW
    let v${Y}_${X} = x[base + row${Y} + at${X}];
#endfor
#endfor
#endif
#for Y in 0..K
#for X in 0..IW
    let x${Y}_${X} = select(0.0, activate(v${Y}_${X} * ab.x + ab.y), in_row${X} && in_column${Y});
#endfor
#endfor
    let wb = c * ${K * K}u * stride4 + o_first;
#for V in 0..OV
    {
#for Y in 0..K
#for X in 0..K
      let w${Y}_${X} = four(weight[wb + ${Y * K + X}u * stride4 + ${V}u]);
#endfor
#endfor
#for P in 0..PX
      a${P}_${V} = a${P}_${V}
#for Y in 0..K
#for X in 0..K
        + w${Y}_${X} * x${Y}_${P * S + X}
#endfor
#endfor
        ;
#endfor
    }
#endfor
  }
#if SHORTCUT
  for (var c = 0u; c < p.r0 + p.r1; c++) {
#for P in 0..PX
    let s${P} = shortcut_input(n, c, oy * p.ow + min(ox0 + ${P}u, p.ow - 1u));
#endfor
#for V in 0..OV
    let v${V} = four(shortcut[c * stride4 + o_first + ${V}u]);
#for P in 0..PX
    a${P}_${V} += v${V} * s${P};
#endfor
#endfor
  }
#endif
#include "conv2d/epilogue.wgsl"
}
