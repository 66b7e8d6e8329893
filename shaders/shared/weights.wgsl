// Four outputs of a weight as the device holds them: WEIGHTS is 0 for F32, 1 for F16, 2 for BF16.
#if WEIGHTS
alias Four = vec2<u32>;
#else
alias Four = vec4<f32>;
#endif

fn four(w: Four) -> vec4<f32> {
#if WEIGHTS == 1
  return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y));
#elif WEIGHTS == 2
  return bitcast<vec4<f32>>(vec4<u32>(w.x << 16u, w.x & 0xffff0000u, w.y << 16u, w.y & 0xffff0000u));
#else
  return w;
#endif
}
