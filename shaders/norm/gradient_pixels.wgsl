#if ONCE
  let c = first + min(team, per - 1u);
  let q = lane % ${T}u;
#include "norm/gradient_load.wgsl"
#else
#include "norm/gradient_again.wgsl"
#endif
