// Needs WG, a power of two: the threads of the workgroup.
var<workgroup> sh: array<f32, ${WG}>;

// The sum over the workgroup in a fixed order, known to every thread. Called in uniform control flow.
fn sum_all(lane: u32, value: f32) -> f32 {
  sh[lane] = value;
  workgroupBarrier();
#let LEFT = WG
#if WG > 16
#let LEFT = 16
  if (lane < 16u) {
    var part = value;
#for K in 1..WG / 16
    part += sh[lane + ${K * 16}u];
#endfor
    sh[lane] = part;
  }
  workgroupBarrier();
#endif
  var total = sh[0];
#for K in 1..LEFT
  total += sh[${K}];
#endfor
  workgroupBarrier();
  return total;
}
