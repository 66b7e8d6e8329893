// Needs WG, a power of two: the threads of the workgroup.
var<workgroup> sh: array<f32, ${WG}>;

// The sum over the workgroup in a fixed order, known to every thread. Called in uniform control flow.
fn sum_all(lane: u32, value: f32) -> f32 {
  sh[lane] = value;
  for (var half = ${WG / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      sh[lane] += sh[lane + half];
    }
  }
  workgroupBarrier();
  let total = sh[0];
  workgroupBarrier();
  return total;
}
