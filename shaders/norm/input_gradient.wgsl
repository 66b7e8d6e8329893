// dx[n,c,q] = A[n,c]·dy[n,c,q] + B[n,c]·x[n,c,q] + C[n,c] [+ r[n,c,q]] for channels first … first + count.
// Layouts: dy, r [N,C,hw]; x [N,c0,hw], x2 [N,c1,hw] (CONCAT); terms [N,rows,C], the first rows A, B, C;
// dx [N,count,hw]. Tile: a thread makes one element. Dispatch: linear_grid(elements).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> terms: array<f32>;
#if RESIDUAL
@group(0) @binding(auto) var<storage, read_write> r: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;

struct Params { c0: u32, c1: u32, hw: u32, rows: u32, first: u32, count: u32, elements: u32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.elements) {
    return;
  }
  let n = i / p.hw / p.count;
  let c = p.first + i / p.hw % p.count;
  let q = i % p.hw;
  let channels = p.c0 + p.c1;
  var v: f32;
#if CONCAT
  if (c >= p.c0) {
    v = x2[(n * p.c1 + c - p.c0) * p.hw + q];
  } else {
    v = x[(n * p.c0 + c) * p.hw + q];
  }
#else
  v = x[(n * p.c0 + c) * p.hw + q];
#endif
  let term = n * p.rows * channels + c;
  let at = (n * channels + c) * p.hw + q;
  var value = terms[term] * dy[at] + terms[term + channels] * v + terms[term + 2u * channels];
#if RESIDUAL
  value += r[at];
#endif
  dx[i] = value;
}
