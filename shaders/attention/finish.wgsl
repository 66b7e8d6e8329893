  // The softmax's sums, and the parts' sums over their keys divided by them.
  workgroupBarrier();
  if (wave < ${TQ}u) {
#for K in 0..OWN
    sh_p[lane + ${K * 256}u] = total${K};
#endfor
  }
  workgroupBarrier();
  if (lane < ${TQ}u) {
    var total = 0.0;
#for J in 0..64
    total += sh_p[lane * 64u + ${J}u];
#endfor
    sh_c[lane] = total;
  }
#for E in 0..EL
  workgroupBarrier();
#for Q in 0..TQ
  sh_t[${Q * 256}u + lane] = a${E}_${Q};
#endfor
  workgroupBarrier();
  if (lane < ${VC * TQ}u) {
    let q = lane % ${TQ}u;
    let i = lane / ${TQ}u;
    var sum = 0.0;
#for PART in 0..PARTS
    sum += sh_t[q * 256u + i + ${PART * VC}u];
#endfor
    if (first + q < t && i + ${E * VC}u < ${D}u) {
      y[(group.z * channels + group.y * ${D}u + ${E * VC}u + i) * t + first + q] = sum / sh_c[q];
    }
  }
#endfor
