  // The 1×1 convolution of a residual block's input, added to the sums as they are: 16 channels at a time, their 64 pixels in
  // sh_w by channel, pixel of the block and row of blocks, their weights in sh_u.
  {
    let terms = p.r0 + p.r1;
    let last = (terms + 1u) * stride4 - 1u;
    let channel = lane / 16u;
#for E in 0..4
    let px${E} = lane % 8u;
    let py${E} = lane % 16u / 8u + ${2 * E}u;
    let at${E} = min(ty + py${E}, p.oh - 1u) * p.ow + min(tx + px${E}, p.ow - 1u);
    let to${E} = channel * 16u + (py${E} % 2u * 2u + px${E} % 2u) * 4u + py${E} / 2u;
#endfor
    let w_from = lane / 8u * stride4 + min(o4 + lane % 8u, stride4 - 1u);
    let mine = (qy * 2u + qx) * 4u + blocks;
    for (var c = 0u; c < terms; c += 16u) {
      let ci = min(c + channel, terms - 1u);
#for E in 0..4
      let v${E} = shortcut_input(n, ci, at${E});
#endfor
      let w = shortcut[min(c * stride4 + w_from, last)];
      workgroupBarrier();
#for E in 0..4
      sh_w[to${E}][px${E} / 2u] = select(0.0, v${E}, c + channel < terms);
#endfor
      if (lane < 128u) {
        sh_u[lane / 32u][lane / 8u % 4u][lane / 2u % 4u][lane % 2u] = four(w);
      }
      workgroupBarrier();
#for C in 0..16
      {
        let x = sh_w[mine + ${16 * C}u];
#for V in 0..2
        let u${V} = sh_u[${C / 4}][${C % 4}][og][${V}][l];
#for B in 0..4
        f${B}_${V} += u${V} * x[${B}];
#endfor
#endfor
      }
#endfor
    }
  }
