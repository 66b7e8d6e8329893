  // As it writes: of the same channels component l, of the same blocks pixel q. AᵀmA adds up nine of the 16 places.
  let l = lane / 16u % 4u;
  let qx = lane / 64u % 2u;
  let qy = lane / 128u;
  let from_place = qy * 64u + qx * 16u + lane % 16u;
  let sx = 1.0 - 2.0 * f32(qx);
  let sy = 1.0 - 2.0 * f32(qy);
  let out_plane = p.oh * p.ow;
#for V in 0..2
#for B in 0..4
  workgroupBarrier();
  sh_w[lane] = a${B}_${V};
  workgroupBarrier();
#for R in 0..3
  let m${B}_${V}_${R} = sh_w[from_place + ${64 * R}u][l] + sx * (sh_w[from_place + ${64 * R + 16}u][l] + sh_w[from_place + ${64 * R + 32}u][l]);
#endfor
  var f${B}_${V} = m${B}_${V}_0 + sy * (m${B}_${V}_1 + m${B}_${V}_2);
#endfor
#endfor
#if SHORTCUT
#include "conv2d/winograd_shortcut.wgsl"
#endif
#for B in 0..4
  let y${B} = ty + 2u * blocks + qy;
  let x${B} = tx + ${2 * B}u + qx;
#endfor
#for V in 0..2
  let o${V} = (o4 + og * 2u + ${V}u) * 4u + l;
  let os${V} = min(o${V}, p.oc - 1u);
  var bias${V} = four(weight[terms * 9u * stride4 + os${V} / 4u])[l];
#if SHORTCUT
  bias${V} += four(shortcut[(p.r0 + p.r1) * stride4 + os${V} / 4u])[l];
#endif
#if EMBED
  bias${V} += embedding[n * p.e_len + p.e_offset + os${V}];
#endif
#for B in 0..4
  let to${B}_${V} = (n * p.oc + os${V}) * out_plane + min(y${B}, p.oh - 1u) * p.ow + min(x${B}, p.ow - 1u);
#if RESIDUAL
  let r${B}_${V} = r[to${B}_${V}];
#endif
#endfor
#endfor
#for V in 0..2
#for B in 0..4
  f${B}_${V} += bias${V};
#if RESIDUAL
  f${B}_${V} += r${B}_${V};
#endif
  f${B}_${V} *= p.scale;
  if (o${V} < p.oc && y${B} < p.oh && x${B} < p.ow) {
    y[to${B}_${V}] = f${B}_${V};
  }
#endfor
#endfor
#if MOMENTS
  // The tile's moments of each channel, behind y, as in finish.wgsl: of a channel 16 threads have four pixels each.
  let pixels = f32(min(${T}u, p.ow - tx) * min(${T}u, p.oh - ty));
  let writes = blocks == 0u && lane < 64u;
  if (writes) {
    sh_x[lane / 4u] = vec2<f32>(f0_0, f0_1);
  }
  workgroupBarrier();
  let first = sh_x[lane / 4u % 16u];
  var sums = vec2<f32>();
  var squares = vec2<f32>();
#for B in 0..4
  if (y${B} < p.oh && x${B} < p.ow) {
    let d = vec2<f32>(f${B}_0, f${B}_1) - first;
    sums += d;
    squares += d * d;
  }
#endfor
  sh_w[lane] = vec4<f32>(sums, squares);
  workgroupBarrier();
  var all = vec4<f32>();
#for Q in 0..4
#for I in 0..4
  all += sh_w[lane % 64u / 4u * 4u + ${64 * Q + I}u];
#endfor
#endfor
#for V in 0..2
  if (writes && o${V} < p.oc) {
    let tiles = tiles_x * ((p.oh + ${T - 1}u) / ${T}u);
    let at = p.batch * p.oc * out_plane + 3u * ((n * p.oc + o${V}) * tiles + group.x);
    y[at] = pixels;
    y[at + 1u] = first[${V}] + all[${V}] / pixels;
    let square${V} = all[${V + 2}];
    y[at + 2u] = select(max(square${V} - all[${V}] * all[${V}] / pixels, 0.0), square${V}, square${V} > 3e38); // see merge.wgsl
  }
#endfor
#endif
