// dw[part,i,k,o] = Σ x[n,i, S·q + k − pad]·dy[n,o,q] and db[part,o] = Σ dy[n,o,q] over the rows of pixels of a part;
// shared/gradient_sums.wgsl adds the parts.
//
// Layouts: dy [N,oc,oh,ow], x [N,ic,h,w], dw [parts][ic·K·K + 1][oc padded to 4], its padding zero.
// Tile: a thread goes along the rows of its part for one input channel (or, as channel ic, for the bias), all K·K taps and
// OV vec4s of output channels; the window of x slides with it. Dispatch: linear_grid(parts × (ic + 1) × groups of
// channels), input channels fastest.
#include "conv2d/weight_gradient_bindings.wgsl"

#include "shared/index.wgsl"

fn load_dy(n: u32, o: u32, oy: u32, ox: u32) -> vec4<f32> {
  let plane = p.oh * p.ow;
  let at = ((n * p.oc + o) * p.oh + oy) * p.ow + ox;
  var v = vec4<f32>();
  if (o < p.oc) { v.x = dy[at]; }
  if (o + 1u < p.oc) { v.y = dy[at + plane]; }
  if (o + 2u < p.oc) { v.z = dy[at + 2u * plane]; }
  if (o + 3u < p.oc) { v.w = dy[at + 3u * plane]; }
  return v;
}

// x of channel i; 0 outside the image.
fn load_x(n: u32, i: u32, iy: i32, ix: i32) -> f32 {
  if (iy >= 0 && iy < i32(p.h) && ix >= 0 && ix < i32(p.w)) {
    let at = u32(iy) * p.w + u32(ix);
#if CONCAT
    if (i >= p.c0) {
      return x2[(n * (p.ic - p.c0) + i - p.c0) * p.h * p.w + at];
    }
#endif
    return x[(n * p.c0 + i) * p.h * p.w + at];
  }
  return 0.0;
}

#let OV = 1 + 3 * (K == 1)
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = thread_index(group, lane);
  let stride4 = (p.oc + 3u) / 4u;
  let groups = (stride4 + ${OV - 1}u) / ${OV}u;
  let i = index % (p.ic + 1u);
  let o4 = index / (p.ic + 1u) % groups * ${OV}u;
  let part = index / (p.ic + 1u) / groups;
  if (part >= p.parts) {
    return;
  }
  let bias = i == p.ic;
#for V in 0..OV
#for T in 0..K * K
  var a${T}_${V} = vec4<f32>();
#endfor
#endfor

  let last = min((part + 1u) * p.rows_part, p.rows);
  for (var row = part * p.rows_part; row < last; row++) {
    let n = row / p.oh;
    let oy = row % p.oh;
    let iy = i32(oy * ${S}u) - i32(p.pad);
    let ix = -i32(p.pad);
#for Y in 0..K
#for X in 0..K
    var x${Y}_${X} = 1.0;
#endfor
#endfor
    if (!bias) {
#for Y in 0..K
#for X in 0..K - S
      x${Y}_${X + S} = load_x(n, i, iy + ${Y}, ix + ${X});
#endfor
#endfor
    }
    for (var ox = 0u; ox < p.ow; ox++) {
      if (!bias) {
        let at = ix + i32(ox * ${S}u);
#for Y in 0..K
#for X in 0..K
#if X < K - S
        x${Y}_${X} = x${Y}_${X + S};
#else
        x${Y}_${X} = load_x(n, i, iy + ${Y}, at + ${X});
#endif
#endfor
#endfor
      }
#for V in 0..OV
      {
        let d = load_dy(n, (o4 + ${V}u) * 4u, oy, ox);
#for Y in 0..K
#for X in 0..K
        a${Y * K + X}_${V} += d * x${Y}_${X};
#endfor
#endfor
      }
#endfor
    }
  }

  let at = part * (p.ic * ${K * K}u + 1u) * stride4;
#for V in 0..OV
  if (o4 + ${V}u < stride4) {
    if (bias) {
      dw[at + p.ic * ${K * K}u * stride4 + o4 + ${V}u] = a0_${V};
    } else {
#for T in 0..K * K
      dw[at + (i * ${K * K}u + ${T}u) * stride4 + o4 + ${V}u] = a${T}_${V};
#endfor
    }
  }
#endfor
}
