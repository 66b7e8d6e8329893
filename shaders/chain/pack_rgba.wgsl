// Pictures for a canvas: count samples of one plane of the state, in a grid of `columns`, as RGBA8 words:
// ⌊255·clamp(x/2 + ½, 0, 1) + ½⌋, x_t times `scale`; one channel shown as grey, the first three of more as red, green and blue,
// the last of two and of four as alpha.
// Layouts: state [planes][K,C,H,W]; pixels [2][rows·h, columns·w], first x_t, then x̂0; an empty cell is transparent.
// Tile: a thread makes one pixel of both pictures. Dispatch: linear_grid(rows·h·columns·w).
@group(0) @binding(auto) var<storage, read_write> state: array<f32>;
@group(0) @binding(auto) var<storage, read_write> pixels: array<u32>;

struct Params { count: u32, c: u32, h: u32, w: u32, columns: u32, rows: u32, scale: f32, _a: u32 }
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"

fn byte(v: f32) -> u32 {
  return u32(floor(255.0 * clamp(v * 0.5 + 0.5, 0.0, 1.0) + 0.5));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  let width = p.columns * p.w;
  let size = width * p.rows * p.h;
  if (i >= size) {
    return;
  }
  let py = i / width;
  let px = i % width;
  let cell = (py / p.h) * p.columns + px / p.w;
  let hw = p.h * p.w;
  for (var picture = 0u; picture < 2u; picture++) {
    let scale = select(1.0, p.scale, picture == 0u);
    var word = 0u;
    if (cell < p.count) {
      let at = (picture * p.count + cell) * p.c * hw + (py % p.h) * p.w + px % p.w;
      let red = byte(scale * state[at]);
      var green = red;
      var blue = red;
      if (p.c >= 3u) {
        green = byte(scale * state[at + hw]);
        blue = byte(scale * state[at + 2u * hw]);
      }
      var alpha = 255u;
      if (p.c == 2u || p.c == 4u) {
        alpha = byte(scale * state[at + (p.c - 1u) * hw]);
      }
      word = red | (green << 8u) | (blue << 16u) | (alpha << 24u);
    }
    pixels[picture * size + i] = word;
  }
}
