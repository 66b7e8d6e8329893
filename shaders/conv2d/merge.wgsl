  // The mean of every group and 1/√(var + ε), from the moments behind x and x2 (`Moments`): parts of a channel lie after one
  // another, [N][C][parts][count, mean, sum of squared differences]. A group has SHARE threads, whose sums meet in sh_w.
  // Sums are of differences from the first part's mean, so that a large mean costs no digits: of k parts, none is
  // farther from the group's mean than √k deviations.
#let SHARE = LANES / MERGE
  {
    let per = p.per;
    let first = min(lane / ${SHARE}u, ${MERGE - 1}u) * per;
    let t0 = p.parts[${CLASS / 2}][${CLASS % 2 * 2}];
#if CONCAT
    let in0 = clamp(p.src.c0, first, first + per) - first;
    let t1 = p.parts[${CLASS / 2}][${CLASS % 2 * 2 + 1}];
    let base1 = p.batch * p.src.c1 * p.src.h * p.src.w + 3u * (n * p.src.c1 + first + in0 - p.src.c0) * t1;
#else
    let in0 = per;
#endif
    let base0 = p.batch * p.src.c0 * p.src.h * p.src.w + 3u * (n * p.src.c0 + first) * t0;
    let items0 = in0 * t0;
#if CONCAT
    let items = items0 + (per - in0) * t1;
#else
    let items = items0;
#endif
#if CONCAT
    var pivot: f32;
    if (in0 > 0u) {
      pivot = x[base0 + 1u];
    } else {
      pivot = x2[base1 + 1u];
    }
#else
    let pivot = x[base0 + 1u];
#endif
    var sums = vec2<f32>();
    for (var i = lane % ${SHARE}u; i < items; i += ${SHARE * LOADS}u) {
#for L in 0..LOADS
      let i${L} = min(i + ${L * SHARE}u, items - 1u);
      var m${L}: vec3<f32>;
#if CONCAT
      if (i${L} >= items0) {
        let at = base1 + 3u * (i${L} - items0);
        m${L} = vec3<f32>(x2[at], x2[at + 1u], x2[at + 2u]);
      } else {
#else
      {
#endif
        let at = base0 + 3u * i${L};
        m${L} = vec3<f32>(x[at], x[at + 1u], x[at + 2u]);
      }
#endfor
#for L in 0..LOADS
      let d${L} = m${L}.y - pivot;
      sums += select(vec2<f32>(), vec2<f32>(m${L}.x * d${L}, m${L}.z + m${L}.x * d${L} * d${L}), i + ${L * SHARE}u < items);
#endfor
    }
    sh_w[lane] = vec4<f32>(sums, pivot, 0.0);
    workgroupBarrier();
    if (lane < ${MERGE}u) {
      var all = vec2<f32>();
#for I in 0..SHARE
      all += sh_w[lane * ${SHARE}u + ${I}u].xy;
#endfor
      let count = f32(per * p.src.h * p.src.w);
      let offset = all.x / count;
      // What overflows stays infinite, and is scaled to 0: the difference of two infinities would be no number.
      let square = all.y / count;
      let variance = select(max(square - offset * offset, 0.0), square, square > 3e38);
      sh_group[lane] = vec2<f32>(sh_w[lane * ${SHARE}u].z + offset, 1.0 / sqrt(variance + p.eps));
    }
    workgroupBarrier();
  }
