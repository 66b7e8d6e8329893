  // The parts' sums, first part first. Part l of the first four writes component l of every vec4 of its lane: bias, time
  // embedding, residual, scale.
  let l = min(part, 3u);
  let mine = lane % ${LANES}u;
  let plane = p.oh * p.ow;
#for V in 0..OV
  let o${V} = (o4 + og + ${V}u) * 4u + l;
  let os${V} = min(o${V}, p.oc - 1u);
  var bias${V} = weight[channels * ${K * K}u * stride4 + os${V} / 4u][l];
#if SHORTCUT
  bias${V} += shortcut[(p.r0 + p.r1) * stride4 + os${V} / 4u][l];
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
    var sum = bias${V};
#if RESIDUAL
    sum += r${P}_${V};
#endif
#for PART in 0..SPLIT
    sum += sh_w[mine + ${PART * LANES}u][l];
#endfor
    if (part < 4u && o${V} < p.oc && ty + row + ${P * (1 - FLAT)}u < p.oh && tx + column + ${P * FLAT * SX}u < p.ow) {
      y[to${P}_${V}] = sum * p.scale;
    }
  }
#endfor
#endfor
