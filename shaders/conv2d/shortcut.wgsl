#if SHORTCUT
  // The 1×1 convolution of a residual block's input, into the same accumulators; its channels are held in sh_x and sh_w.
  let inputs = p.r0 + p.r1;
  for (var c = 0u; c < inputs; c += ${CI}u) {
    workgroupBarrier();
    for (var i = lane; i < ${CI * TH * TW}u; i += ${THREADS}u) {
      let ci = c + i / ${TH * TW}u;
      let qy = ty + (i / ${TW}u) % ${TH}u;
      let qx = tx + i % ${TW}u;
      var value = 0.0;
      if (ci < inputs && qy < p.oh && qx < p.ow) {
        value = shortcut_input(n, ci, qy * p.ow + qx);
      }
      sh_x[i] = value;
    }
    for (var i = lane; i < ${CI}u * OT; i += ${THREADS}u) {
      let ci = c + i / OT;
      let v = o4 + i % OT;
      var value = vec4<f32>();
      if (ci < inputs && v < stride4) {
        value = shortcut[ci * stride4 + v];
      }
      sh_w[i] = value;
    }
    workgroupBarrier();
    for (var ci = 0u; ci < ${CI}u; ci++) {
      let xb = ci * ${TH * TW}u + row * ${TW}u + column;
#for V in 0..OV
      let v${V} = sh_w[ci * OT + og + ${V}u];
#for P in 0..PX
      a${P}_${V} += v${V} * sh_x[xb + ${P}u];
#endfor
#endfor
    }
  }
#endif
