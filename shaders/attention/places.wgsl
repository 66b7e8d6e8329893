  // Where q, k and v of this head begin in qkv [N, 3·heads·D, tokens].
  let channels = p.heads * ${D}u;
  let t = p.tokens;
  let base_q = (group.z * 3u * channels + group.y * ${D}u) * t;
  let base_k = base_q + channels * t;
  let base_v = base_k + channels * t;
