// y[n,o] = w[I,o] + Σ_i w[i,o]·f(x[n,i])  [+ r[n,o]  or  table[labels[n], o]]
// For adapters that are processors: no barrier.
//
// Tile: a thread makes 4 outputs of one sample. Dispatch: [⌈O/256⌉, batch].
#include "linear/operands.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let stride4 = (p.outputs + 3u) / 4u;
  let n = id.y;
  if (id.x >= stride4) {
    return;
  }
  var sum = four(weight[p.inputs * stride4 + id.x]);
  for (var i = 0u; i < p.inputs; i++) {
    sum += four(weight[i * stride4 + id.x]) * activate(x[n * p.inputs + i]);
  }
#if ADD_ROW
  let row = min(u32(max(labels[n], 0.0)), p.rows - 1u);
#endif
  for (var l = 0u; l < 4u && id.x * 4u + l < p.outputs; l++) {
    let o = id.x * 4u + l;
    var value = sum[l];
#if ADD_VALUE
    value += r[n * p.outputs + o];
#endif
#if ADD_ROW
    value += table[row * p.outputs + o];
#endif
    y[n * p.outputs + o] = value;
  }
}
