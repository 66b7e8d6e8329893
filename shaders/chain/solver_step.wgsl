// One step of any solver, or of the forward chain, element by element:
//   m = any + W·(class − any) under guidance, else the model's output
//   x0 = clip(c.x·x + c.m·m)           clip: none, clamp to ±limit, clamp to ±s[n] and divide by s[n]
//   row(x, m, x0, z·std, h0…h3) for x_{t'} and for each history value, all from the old values
//   sample = input_scale·x_{t'}, for both halves under guidance
//
// Layouts: state [planes][K,C,H,W] with planes x, x0, h0…h3; model as in chain/model_output.wgsl; noise [K,C,H,W];
// limits [K]. Everything is read before anything is written, so the state is updated in place.
// Tile: a thread makes one element. Dispatch: linear_grid(K·C·H·W).
@group(0) @binding(auto) var<storage, read_write> model: array<f32>;
@group(0) @binding(auto) var<storage, read_write> noise: array<f32>;
#if THRESHOLD
@group(0) @binding(auto) var<storage, read_write> limits: array<f32>;
#endif
@group(0) @binding(auto) var<storage, read_write> state: array<f32>;
@group(0) @binding(auto) var<storage, read_write> sample: array<f32>;

// A row holds the factors of (x, m, x0, z) and of (h0, h1, h2, h3); row 0 is x_{t'}, 1…4 the history.
struct Params {
  count: u32, chw: u32, flags: u32, guidance: f32,
  x0_x: f32, x0_m: f32, limit: f32, input_scale: f32,
  min_log: f32, max_log: f32, _a: u32, _b: u32,
  rows: array<vec4<f32>, 10>,
}
@group(0) @binding(0) var<uniform> p: Params;

#include "shared/index.wgsl"
#include "chain/model_output.wgsl"

// Flags: 1 clip, 2 threshold, 4 learned variance is a range, 8 noise is used, 16 << k: history value k is written.
fn row(k: u32, a: vec4<f32>, h: vec4<f32>) -> f32 {
  return dot(p.rows[2u * k], a) + dot(p.rows[2u * k + 1u], h);
}

// v within ±limit. WGSL promises nothing of clamp(NaN), and a compiler may drop v != v: NaN is known by its bits, and
// stays, so that a broken network is seen.
fn within(v: f32, limit: f32) -> f32 {
  let is_nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
  return select(clamp(v, -limit, limit), v, is_nan);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = thread_index(group, lane);
  if (i >= p.count) {
    return;
  }
  let at = model_index(i);
  let m = guided_output(at);
  let x = state[i];
  var x0 = p.x0_x * x + p.x0_m * m;
  if ((p.flags & 1u) != 0u) {
    x0 = within(x0, p.limit);
  }
#if THRESHOLD
  if ((p.flags & 2u) != 0u) {
    let s = limits[i / p.chw];
    x0 = within(x0, s) / s;
  }
#endif
  var z = 0.0;
  if ((p.flags & 8u) != 0u) {
    z = noise[i];
#if LEARNED
    let v = guided_output(at + p.chw);
    if ((p.flags & 4u) != 0u) {
      let f = (v + 1.0) * 0.5;
      z *= exp(0.5 * (f * p.max_log + (1.0 - f) * p.min_log));
    } else {
      z *= sqrt(max(v, 0.0));
    }
#endif
  }
  let a = vec4<f32>(x, m, x0, z);
  let h = vec4<f32>(state[2u * p.count + i], state[3u * p.count + i], state[4u * p.count + i], state[5u * p.count + i]);
  let next = row(0u, a, h);
  state[i] = next;
  state[p.count + i] = x0;
  for (var k = 0u; k < 4u; k++) {
    if ((p.flags & (16u << k)) != 0u) {
      state[(2u + k) * p.count + i] = row(1u + k, a, h);
    }
  }
  sample[i] = p.input_scale * next;
#if GUIDED
  sample[p.count + i] = p.input_scale * next;
#endif
}
