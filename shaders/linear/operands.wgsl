// Both linear kernels' operands: see linear.wgsl for their layouts.
#include "shared/weights.wgsl"
@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
@group(0) @binding(auto) var<storage, read> weight: array<Four>;
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
