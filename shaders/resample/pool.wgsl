// y[c,i,j] = scale·(sum of x[c, 2i…2i+1, 2j…2j+1]); an odd last row or column is dropped.
// Layouts: planes (batch × channels) of h×w and ⌊h/2⌋×⌊w/2⌋. Tile: a thread makes one element.
// Dispatch: linear_grid(elements).
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read_write> y: array<f32>;

struct Params { count: u32, h: u32, w: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.count) {
    return;
  }
  let oh = p.h / 2u;
  let ow = p.w / 2u;
  let at = (i / (oh * ow) * p.h + 2u * (i / ow % oh)) * p.w + 2u * (i % ow);
  y[i] = p.scale * (x[at] + x[at + 1u] + x[at + p.w] + x[at + p.w + 1u]);
}
