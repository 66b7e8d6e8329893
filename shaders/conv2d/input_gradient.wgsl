// dx[n,i,q] = Σ_o Σ_k w[i,k,o]·dy[n,o,(q + PAD − k)/S], over the k where that is whole; times f'(a·x + b) (AFTER);
// plus r (RESIDUAL).
//
// Layouts: images NCHW; w [ic·K·K + 1][oc padded to 4]. Four output channels are read at a time.
// Tile: a thread makes a strip of PX pixels × 4 input channels on its own. The strip begins at a multiple of PX, which
// is even, so that which taps meet which pixels at stride 2 is known when the text is unrolled.
// Dispatch: linear_grid(strips × channel groups × batch), strips fastest.
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read> weight: array<vec4<f32>>;
#include "conv2d/input_gradient_bindings.wgsl"

#include "shared/index.wgsl"

// Pixel (oy, ox) of the four channels from o on; 0 outside.
fn load(n: u32, o: u32, oy: u32, ox: i32) -> vec4<f32> {
  var v = vec4<f32>();
  if (ox >= 0 && ox < i32(p.ow)) {
    let plane = p.oh * p.ow;
    let at = ((n * p.oc + o) * p.oh + oy) * p.ow + u32(ox);
    v.x = dy[at];
    if (o + 1u < p.oc) { v.y = dy[at + plane]; }
    if (o + 2u < p.oc) { v.z = dy[at + 2u * plane]; }
    if (o + 3u < p.oc) { v.w = dy[at + 3u * plane]; }
  }
  return v;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = thread_index(group, lane);
  let strips = p.strips * p.h;
  let groups = (p.ic + 3u) / 4u;
  let n = index / (strips * groups);
  if (n >= p.batch) {
    return;
  }
  let i0 = (index / strips) % groups * 4u;
  let y = index % strips / p.strips;
  let x0 = index % p.strips * ${PX}u;
  let stride4 = (p.oc + 3u) / 4u;
#for P in 0..PX
  var a${P} = vec4<f32>();
#endfor

  for (var o4 = 0u; o4 < stride4; o4++) {
    for (var ky = 0u; ky < ${K}u; ky++) {
      let above = y + ${PAD}u - ky;
      if (y + ${PAD}u < ky || above % ${S}u != 0u || above / ${S}u >= p.oh) {
        continue;
      }
      let oy = above / ${S}u;
#if S == 1
#for J in 0..PX + K - 1
      let d${J} = load(n, o4 * 4u, oy, i32(x0) + ${J} - ${K - 1 - PAD});
#endfor
#else
#for J in 0..PX / 2 + 2
      let d${J} = load(n, o4 * 4u, oy, i32(x0 / 2u) + ${J} - 1);
#endfor
#endif
#for KX in 0..K
      {
#for I in 0..4
        let w${I} = weight[((min(i0 + ${I}u, p.ic - 1u) * ${K}u + ky) * ${K}u + ${KX}u) * stride4 + o4];
#endfor
#for P in 0..PX
#if S == 1
        a${P} += vec4<f32>(dot(w0, d${P + K - 1 - KX}), dot(w1, d${P + K - 1 - KX}), dot(w2, d${P + K - 1 - KX}), dot(w3, d${P + K - 1 - KX}));
#elif (P + PAD + 2 - KX) % 2 == 0
        a${P} += vec4<f32>(dot(w0, d${(P + PAD + 2 - KX) / 2}), dot(w1, d${(P + PAD + 2 - KX) / 2}), dot(w2, d${(P + PAD + 2 - KX) / 2}), dot(w3, d${(P + PAD + 2 - KX) / 2}));
#endif
#endfor
      }
#endfor
    }
  }
#for P in 0..PX
  if (x0 + ${P}u < p.w) {
    for (var l = 0u; l < 4u && i0 + l < p.ic; l++) {
      var value = a${P}[l];
#if AFTER
      let ab = source_affine(p.src, n, i0 + l);
      value *= activate_slope(source_before(p.src, n, i0 + l, y, x0 + ${P}u, ab));
#endif
      let to = ((n * p.ic + i0 + l) * p.h + y) * p.w + x0 + ${P}u;
#if RESIDUAL
      value += r[to];
#endif
      dx[to] = value;
    }
  }
#endfor
}
