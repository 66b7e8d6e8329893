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
pub fn randn(seed: f64, len: usize) -> Result<Vec<f32>, JsValue> {
    let mut noise = vec![0.0; len];
    Generator::new(js::seed(seed)?).randn(&mut noise);
    Ok(noise)
}

/// What is missing of a picture file, as the end of a sentence that begins with its name; undefined where it is whole.
#[wasm_bindgen(js_name = pictureDamage)]
pub fn picture_damage(bytes: &[u8]) -> Option<String> {
    crate::picture::damage::damage(bytes)
}

/// The SHA-256 of a file, in lower-case hexadecimal.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    crate::model::sha256(bytes)
}
