//! What JavaScript sees. `www/worker/` calls this and nothing else; docs/api.md describes it from the page's side.

mod bound;
mod engine;
mod files;
mod forward;
mod ideal_denoiser;
mod js;
mod loaded;
mod reverse;
mod samplers;
mod schedule;
mod train;

use wasm_bindgen::prelude::*;

use crate::diffusion::noise::Generator;

pub use engine::Engine;
pub use samplers::samplers;
pub use schedule::schedule;
pub use train::Training;

/// Turns panics into messages in the console; called once, when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// PyTorch's `randn` of `len` numbers after `manual_seed(seed)`, on its CPU generator.
#[wasm_bindgen]
pub fn randn(seed: f64, len: usize) -> Vec<f32> {
    let mut noise = vec![0.0; len];
    Generator::new(seed as u64).randn(&mut noise);
    noise
}

/// The SHA-256 of a file, in lower-case hexadecimal.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    crate::model::sha256(bytes)
}
