// PHASE 0: the convolution. PHASE 1: the 1×1 convolution of a residual block's input, into the same accumulators.
// PHASE 2: the transposed convolution of dy, which at stride 2 is read with zeros between its pixels.
#if PHASE == 0
#let KP = K
#let SP = S
#let UPP = UP
#elif PHASE == 2
#let KP = K
#let SP = 1
#let UPP = S - 1
#else
#let KP = 1
#let SP = 1
#let UPP = 0
#endif
#let KK = KP * KP
#let IW = (TW - 1) * SP + KP
#let AREA = IW * ((TH - 1) * SP + KP)
#let NX = (AREA + PER - 1) / PER
#let ROWS = CH * KK * OT
#let NW = (ROWS + THREADS - 1) / THREADS
#let STEP = IW
#if FLAT
#let STEP = SX
#endif
  {
#if PHASE == 0
    let terms = channels;
    let pad = i32(p.pad);
    let source_w = p.src.w;
    let plane = p.src.h * source_w;
    let height = i32(p.src.h << ${UP}u);
    let width = i32(source_w << ${UP}u);
    let c0 = p.src.c0;
    let c1 = p.src.c1;
#elif PHASE == 2
    let terms = p.oc;
    let pad = ${K - 1 - PAD};
    let source_w = p.ow;
    let plane = p.oh * p.ow;
    let height = i32(p.oh * ${S}u);
    let width = i32(p.ow * ${S}u);
#else
    let terms = p.r0 + p.r1;
    let pad = 0i;
    let source_w = p.ow;
    let plane = p.oh * p.ow;
    let height = i32(p.oh);
    let width = i32(p.ow);
    let c0 = p.r0;
    let c1 = p.r1;
#endif
    // Where this thread's numbers lie in a plane, and its vec4s among the weights of a chunk.
#for E in 0..NX
    let iy${E} = i32(ty * ${SP}u + (pixel + ${E * PER}u) / ${IW}u) - pad;
    let ix${E} = i32(tx * ${SP}u + (pixel + ${E * PER}u) % ${IW}u) - pad;
    let ok${E} = iy${E} >= 0 && iy${E} < height && ix${E} >= 0 && ix${E} < width && ((iy${E} | ix${E}) & ${UPP * (PHASE == 2)}) == 0;
    let at${E} = select(0u, (u32(iy${E}) >> ${UPP}u) * source_w + (u32(ix${E}) >> ${UPP}u), ok${E});
    var v${E} = 0.0;
#endfor
#if PHASE == 2
    // Transposed, the channels of the chunk are a row of the weight: neighbours load neighbours.
    let len = stride4 * 4u;
#for E in 0..NW
    let j${E} = min(lane + ${E * THREADS}u, ${ROWS - 1}u);
    let i${E} = min((o4 + j${E} / ${CH * KK}u) * 4u, p.ic - 1u);
    let left${E} = p.ic - 1u - i${E};
    let from${E} = (i${E} * ${KK}u + ${KK - 1}u - j${E} / ${CH}u % ${KK}u) * len;
    let to${E} = (j${E} % ${CH}u * ${KK}u + j${E} / ${CH}u % ${KK}u) * ${OT}u + j${E} / ${CH * KK}u;
    var w${E} = vec4<f32>();
#endfor
#else
    let last = (terms * ${KK}u + 1u) * stride4 - 1u;
#for E in 0..NW
    let from${E} = (lane + ${E * THREADS}u) / ${OT}u * stride4 + min(o4 + (lane + ${E * THREADS}u) % ${OT}u, stride4 - 1u);
    var w${E} = Four();
#endfor
#endif
    var ab = vec2<f32>(1.0, 0.0);
    var next = 0u;
#include "conv2d/fetch.wgsl"
#if PHASE == 0
#if MERGE
#let LANES = THREADS
#let LOADS = 8
#include "conv2d/merge.wgsl"
#let LANES = STRIPS * OG
    let inverse = 1.0 / f32(p.per);
#endif
#endif
    for (var c = 0u; c < terms; c = next) {
      let inside = c + channel < terms;
#if PHASE == 0
#if MERGE
      let group = sh_group[u32((f32(min(c + channel, terms - 1u)) + 0.5) * inverse)];
      ab = vec2<f32>(ab.x * group.y, ab.y - group.x * ab.x * group.y);
#endif
#endif
      workgroupBarrier();
#for E in 0..NX
#if (E + 1) * PER > AREA
      if (pixel + ${E * PER}u < ${AREA}u) {
#else
      {
#endif
#if PHASE == 0
        sh_x[channel * ${AREA}u + pixel + ${E * PER}u] = select(0.0, activate(v${E} * ab.x + ab.y), ok${E} && inside);
#else
        sh_x[channel * ${AREA}u + pixel + ${E * PER}u] = select(0.0, v${E}, ok${E} && inside);
#endif
      }
#endfor
#for E in 0..NW
#if (E + 1) * THREADS > ROWS
      if (lane + ${E * THREADS}u < ${ROWS}u) {
#else
      {
#endif
#if PHASE == 2
        sh_w[to${E}] = w${E};
#else
        sh_w[lane + ${E * THREADS}u] = four(w${E});
#endif
      }
#endfor
      workgroupBarrier();
      next = c + ${CH}u;
      if (next < terms) {
#include "conv2d/fetch.wgsl"
      }
      for (var ci = part * ${CI}u; ci < part * ${CI}u + ${CI}u; ci++) {
        let xb = ci * ${AREA}u + row * ${SP * IW}u + column * ${SP}u;
        let wb = ci * ${KK * OT}u + og;
#for KX in 0..KP
#for J in 0..(PX - 1) * SP + KP
        let x${KX}_${J} = sh_x[xb + ${J * STEP + KX}u];
#endfor
#for KY in 0..KP
#for V in 0..OV
        let w${KX}_${KY}_${V} = sh_w[wb + ${(KY * KP + KX) * OT + V}u];
#for P in 0..PX
        a${P}_${V} += w${KX}_${KY}_${V} * x${KX}_${P * SP + KY};
#endfor
#endfor
#endfor
#endfor
      }
    }
  }
