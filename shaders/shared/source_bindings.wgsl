@group(0) @binding(auto) var<storage, read_write> x: array<f32>;
#if CONCAT
@group(0) @binding(auto) var<storage, read_write> x2: array<f32>;
#endif
#if MERGE
@group(0) @binding(auto) var<storage, read> gamma: array<f32>;
@group(0) @binding(auto) var<storage, read> beta: array<f32>;
#elif NORM
@group(0) @binding(auto) var<storage, read_write> norm: array<f32>;
#endif
