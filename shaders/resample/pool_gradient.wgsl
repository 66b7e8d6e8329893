// dx[c,i,j] = scale·dy[c, ⌊i/2⌋, ⌊j/2⌋]; 0 in an odd last row or column, which pooling drops.
// Layouts: planes (batch × channels) of ⌊h/2⌋×⌊w/2⌋ and h×w. Tile: a thread makes one element.
// Dispatch: linear_grid(elements).
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dx: array<f32>;

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
  let y = (i / p.w % p.h) / 2u;
  let x = (i % p.w) / 2u;
  var value = 0.0;
  if (y < oh && x < ow) {
    value = p.scale * dy[(i / (p.h * p.w) * oh + y) * ow + x];
  }
  dx[i] = value;
}
