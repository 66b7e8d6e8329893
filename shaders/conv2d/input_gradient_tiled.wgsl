// dx of conv2d/input_gradient.wgsl as a convolution of dy with the weight turned around, in the tiles of conv2d/tiled.wgsl;
// operands and sizes are the first one's.
// Dispatch: [tiles of pixels, tiles of channels, batch].
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read> weight: array<f32>;
#include "conv2d/input_gradient_bindings.wgsl"

#let APART = 1
#include "conv2d/tile.wgsl"

@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let n = group.z;
  let tiles_x = (p.w + ${TW - 1}u) / ${TW}u;
  let tx = (group.x % tiles_x) * ${TW}u;
  let ty = (group.x / tiles_x) * ${TH}u;
#include "conv2d/lanes.wgsl"

#let PHASE = 2
#include "conv2d/accumulate.wgsl"

  // The parts' sums, as in conv2d/finish.wgsl, times the slope, plus what others contribute.
  let l = min(part, 3u);
#for V in 0..OV
  let i${V} = (o4 + og + ${V}u) * 4u + l;
#if AFTER
  let ab${V} = source_affine(p.src, n, min(i${V}, p.ic - 1u));
#endif
#for P in 0..PX
  let y${P}_${V} = ty + row + ${P * (1 - FLAT)}u;
  let x${P}_${V} = tx + column + ${P * FLAT * SX}u;
  let to${P}_${V} = ((n * p.ic + min(i${V}, p.ic - 1u)) * p.h + min(y${P}_${V}, p.h - 1u)) * p.w + min(x${P}_${V}, p.w - 1u);
#if RESIDUAL
  let r${P}_${V} = r[to${P}_${V}];
#endif
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
#if RESIDUAL
    sum += r${P}_${V};
#endif
    if (part < 4u && i${V} < p.ic && y${P}_${V} < p.h && x${P}_${V} < p.w) {
      dx[to${P}_${V}] = sum;
    }
  }
#endfor
#endfor
}
