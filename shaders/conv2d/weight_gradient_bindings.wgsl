// The operands of a convolution's weight gradient.
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read_write> dw: array<vec4<f32>>;

struct Params {
  oc: u32, oh: u32, ow: u32, ic: u32,
  h: u32, w: u32, pad: u32, rows: u32,
  rows_part: u32, parts: u32, _a: u32, _b: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
