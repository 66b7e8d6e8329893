// y = f(x) with ACT = 0 identity, 1 SiLU, 2 Mish, 3 GELU, 4 ReLU; the twin is `Function::apply`.
#if ACT == 3
// erf by Abramowitz & Stegun 7.1.26 would err by 1.5e-7; this continued form (Numerical Recipes, erfc with a Chebyshev
// fit) has a relative error of 1.2e-7 everywhere, which keeps x·Φ(x) accurate in its left tail.
fn erfc_positive(z: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * z);
  let a = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
    + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  return t * exp(-z * z + a);
}
#endif

fn activate(x: f32) -> f32 {
#if ACT == 1
  // exp(-x) overflows below -88, where x·σ(x) is 0: WGSL promises no infinity.
  return x / (1.0 + exp(-max(x, -87.0)));
#elif ACT == 2
  let e = exp(min(x, 20.0));
  let n = e * (e + 2.0);
  return x * n / (n + 2.0);
#elif ACT == 3
  let q = 0.5 * erfc_positive(abs(x) * 0.70710678118654752);
  return x * select(q, 1.0 - q, x > 0.0);
#elif ACT == 4
  return max(x, 0.0);
#else
  return x;
#endif
}
