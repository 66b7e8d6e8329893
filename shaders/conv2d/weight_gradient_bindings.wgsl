// The operands of a convolution's weight gradient; with CONCAT the channels from c0 on are x2's.
@group(0) @binding(auto) var<storage, read_write> dy: array<f32>;
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> dw: array<vec4<f32>>;

struct Params {
  oc: u32, oh: u32, ow: u32, ic: u32,
  h: u32, w: u32, pad: u32, rows: u32,
  rows_part: u32, parts: u32, c0: u32, _a: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
