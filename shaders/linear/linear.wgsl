// y[n,o] = w[I,o] + Σ_i w[i,o]·f(x[n,i])  [+ r[n,o]  or  table[labels[n], o]]
//
// Layouts: x [N,I], w [I + 1][O padded to 4] with the bias as last row, table [rows, O], labels [N] as whole floats.
// Tile: 256 threads make 32 outputs of one sample: 8 vec4s, and 32 parts that share out the inputs, 4 at a time.
// Dispatch: [⌈O/32⌉, batch].
#include "linear/operands.wgsl"

var<workgroup> sh: array<vec4<f32>, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let stride4 = (p.outputs + 3u) / 4u;
  let n = group.y;
  let v = min(group.x * 8u + lane % 8u, stride4 - 1u);
  var sum = vec4<f32>();
  for (var i = lane / 8u; i < p.inputs; i += 128u) {
#for B in 0..4
    let i${B} = min(i + ${32 * B}u, p.inputs - 1u);
    let x${B} = x[n * p.inputs + i${B}];
    let w${B} = weight[i${B} * stride4 + v];
#endfor
#for B in 0..4
    sum += four(w${B}) * select(0.0, activate(x${B}), i + ${32 * B}u < p.inputs);
#endfor
  }
  sh[lane] = sum;
  workgroupBarrier();
  let o = group.x * 32u + lane;
  if (lane < 32u && o < p.outputs) {
    var value = four(weight[p.inputs * stride4 + o / 4u])[lane % 4u];
#if ADD_VALUE
    value += r[n * p.outputs + o];
#endif
#if ADD_ROW
    let row = min(u32(max(labels[n], 0.0)), p.rows - 1u);
    value += table[row * p.outputs + o];
#endif
#for PART in 0..32
    value += sh[lane / 4u + ${8 * PART}u][lane % 4u];
#endfor
    y[n * p.outputs + o] = value;
  }
}
