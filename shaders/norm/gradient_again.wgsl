#if ONCE == 0
  for (var c = first + team; c < first + per; c += ${TEAMS}u) {
    for (var q = lane % ${T}u; q < p.hw; q += ${T * BATCH}u) {
#include "norm/gradient_load.wgsl"
#endif
