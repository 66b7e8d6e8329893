// What the model says of picture element i. Layouts: model [K or 2K, C or 2C, H, W] (2C: LEARNED, the second half is the
// variance; 2K: GUIDED, the first half knows the class, the second knows none). Needs p.count = K·C·H·W, p.chw and
// p.guidance.
fn model_index(i: u32) -> u32 {
#if LEARNED
  return i + (i / p.chw) * p.chw;
#else
  return i;
#endif
}

fn guided_output(at: u32) -> f32 {
  let m = model[at];
#if GUIDED
#if LEARNED
  let any = model[at + 2u * p.count];
#else
  let any = model[at + p.count];
#endif
  return any + p.guidance * (m - any);
#else
  return m;
#endif
}
