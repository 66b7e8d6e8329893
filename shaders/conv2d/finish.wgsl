  // The parts' sums, first part first. Part l of the first four writes component l of every vec4 of its lane: bias, time
  // embedding, residual, scale.
  let l = min(part, 3u);
  let mine = lane % ${LANES}u;
  let plane = p.oh * p.ow;
#for V in 0..OV
#for P in 0..PX
  var f${P}_${V} = 0.0;
#endfor
#endfor
#for V in 0..OV
  let o${V} = (o4 + og + ${V}u) * 4u + l;
  let os${V} = min(o${V}, p.oc - 1u);
  var bias${V} = four(weight[channels * ${K * K}u * stride4 + os${V} / 4u])[l];
#if SHORTCUT
  bias${V} += four(shortcut[(p.r0 + p.r1) * stride4 + os${V} / 4u])[l];
#endif
#if EMBED
  bias${V} += embedding[n * p.e_len + p.e_offset + os${V}];
#endif
#for P in 0..PX
  let q${P}_${V} = min(ty + row + ${P * (1 - FLAT)}u, p.oh - 1u) * p.ow + min(tx + column + ${P * FLAT * SX}u, p.ow - 1u);
  let to${P}_${V} = (n * p.oc + os${V}) * plane + q${P}_${V};
#if RESIDUAL
  let r${P}_${V} = r[to${P}_${V}];
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
    sum += sh_w[mine + ${PART * LANES}u][l];
#endfor
    sum += bias${V};
#if RESIDUAL
    sum += r${P}_${V};
#endif
    f${P}_${V} = sum * p.scale;
    if (part < 4u && o${V} < p.oc && ty + row + ${P * (1 - FLAT)}u < p.oh && tx + column + ${P * FLAT * SX}u < p.ow) {
      y[to${P}_${V}] = f${P}_${V};
    }
  }
#endfor
#endfor
#if MOMENTS
  // The tile's moments of each channel, behind y: sums over its STRIPS threads of differences from its first pixel, which
  // is no farther from the mean than √pixels deviations.
  let pixels = f32(min(${TW}u, p.ow - tx) * min(${TH}u, p.oh - ty));
  if (part < 4u && strip == 0u) {
#for V in 0..OV
    sh_x[lane / ${STRIPS}u * ${OV}u + ${V}u] = f0_${V};
#endfor
  }
  workgroupBarrier();
#for V in 0..OV
  let first${V} = sh_x[min(lane / ${STRIPS}u, ${4 * OG - 1}u) * ${OV}u + ${V}u];
#endfor
  var sums = vec2<f32>();
  var squares = vec2<f32>();
#for P in 0..PX
  if (ty + row + ${P * (1 - FLAT)}u < p.oh && tx + column + ${P * FLAT * SX}u < p.ow) {
#for V in 0..OV
    sums[${V}] += f${P}_${V} - first${V};
    squares[${V}] += (f${P}_${V} - first${V}) * (f${P}_${V} - first${V});
#endfor
  }
#endfor
  sh_w[lane] = vec4<f32>(sums, squares);
  workgroupBarrier();
  var all = vec4<f32>();
#for I in 0..STRIPS
  all += sh_w[lane - strip + ${I}u];
#endfor
#for V in 0..OV
  if (part < 4u && strip == 0u && o${V} < p.oc) {
    let tiles = tiles_x * ((p.oh + ${TH - 1}u) / ${TH}u);
    let at = p.batch * p.oc * plane + 3u * ((n * p.oc + o${V}) * tiles + group.x);
    y[at] = pixels;
    y[at + 1u] = first${V} + all[${V}] / pixels;
    let square${V} = all[${V + 2}];
    y[at + 2u] = select(max(square${V} - all[${V}] * all[${V}] / pixels, 0.0), square${V}, square${V} > 3e38); // see merge.wgsl
  }
#endfor
#endif
