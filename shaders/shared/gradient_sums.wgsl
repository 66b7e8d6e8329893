// g[to + i] += Σ_part parts[at + part·stride + i], first part first, for SUMS gradients: at and to count vec4s, and stride is
// len padded to them.
// Layouts: flat. Tile: a thread makes four elements of one gradient, each of which begins with a workgroup of its own.
// Dispatch: linear_grid of those workgroups.
@group(0) @binding(auto) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(auto) var<storage, read_write> g: array<vec4<f32>>;

// Each: at, count, len, to.
struct Params { sums: array<vec4<u32>, ${SUMS}> }
@group(0) @binding(0) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  // linear_grid's workgroups, and the first of this one's gradient.
  let block = group.y * 32768u + group.x;
  var mine = p.sums[0];
  var first = 0u;
  var next = (mine.z + 255u) / 256u;
#for I in 1..SUMS
  if (block >= next) {
    mine = p.sums[${I}];
    first = next;
  }
  next += (p.sums[${I}].z + 255u) / 256u;
#endfor
  let stride = (mine.z + 3u) / 4u;
  let i = (block - first) * 64u + lane;
  if (i >= stride) {
    return;
  }
  let before = g[mine.w + i];
  var sum = vec4<f32>();
  for (var part = 0u; part < mine.y; part += 8u) {
#for L in 0..8
    let v${L} = parts[mine.x + min(part + ${L}u, mine.y - 1u) * stride + i];
#endfor
#for L in 0..8
    sum += select(vec4<f32>(), v${L}, part + ${L}u < mine.y);
#endfor
  }
  // What pads a part is not made by every kernel.
  let own = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(mine.z);
  g[mine.w + i] = before + select(vec4<f32>(), sum, own);
}
