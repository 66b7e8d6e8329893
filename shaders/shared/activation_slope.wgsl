// f'(x) for the functions of activation.wgsl, which it needs; the twin is `Function::slope`.
fn activate_slope(x: f32) -> f32 {
#if ACT == 1
  let s = 1.0 / (1.0 + exp(-max(x, -87.0)));
  return s * (1.0 + x * (1.0 - s));
#elif ACT == 2
  let e = exp(min(x, 20.0));
  let m = e * (e + 2.0) + 2.0;
  return 1.0 - 2.0 / m + x * (4.0 * e / m) * ((e + 1.0) / m);
#elif ACT == 3
  let q = 0.5 * erfc_positive(abs(x) * 0.70710678118654752);
  return select(q, 1.0 - q, x > 0.0) + x * 0.3989422804014327 * exp(-0.5 * x * x);
#elif ACT == 4
  return select(0.0, 1.0, x > 0.0);
#else
  return 1.0;
#endif
}
