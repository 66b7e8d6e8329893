// y[n,o] = w[I,o] + Σ_i w[i,o]·f(x[n,i])  [+ r[n,o]  or  table[labels[n], o]]
//
// Layouts: x [N,I], w [I + 1][O padded to 4] with the bias as last row, table [rows, O], labels [N] as whole floats.
// Tile: a thread makes 4 outputs of one sample. Dispatch: [⌈O/256⌉, batch].
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read> weight: array<vec4<f32>>;
#if ADD_VALUE
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
#if ADD_ROW
@group(0) @binding(auto) var<storage, read> table: array<f32>;
@group(0) @binding(auto) var<storage, read_write> labels: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { inputs: u32, outputs: u32, rows: u32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/activation.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let stride4 = (p.outputs + 3u) / 4u;
  let n = id.y;
  if (id.x >= stride4) {
    return;
  }
  var sum = weight[p.inputs * stride4 + id.x];
  for (var i = 0u; i < p.inputs; i++) {
    sum += weight[i * stride4 + id.x] * activate(x[n * p.inputs + i]);
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
