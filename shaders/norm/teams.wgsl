// A workgroup of WG threads as TEAMS of T.
#let T = WG / TEAMS
var<workgroup> sh_pairs: array<vec2<f32>, ${WG}>;

// The sums over this thread's team, in a fixed order, known to all of it. Called in uniform control flow.
fn sum_team(lane: u32, value: vec2<f32>) -> vec2<f32> {
  workgroupBarrier();
  sh_pairs[lane] = value;
  workgroupBarrier();
#let LEFT = T
#if T > 8
#let LEFT = 8
  if (lane % ${T}u < 8u) {
    var part = value;
#for K in 1..T / 8
    part += sh_pairs[lane + ${K * 8}u];
#endfor
    sh_pairs[lane] = part;
  }
  workgroupBarrier();
#endif
  let first = lane / ${T}u * ${T}u;
  var total = sh_pairs[first];
#for K in 1..LEFT
  total += sh_pairs[first + ${K}u];
#endfor
  return total;
}
