//! What JavaScript sees. `www/worker/` calls this and nothing else; docs/api.md describes it from the page's side. Two modules
//! are built of it: the engine, and the reader of arrays, which is fetched when there are files to train on.

#[cfg(feature = "arrays")]
mod arrays;
#[cfg(feature = "engine")]
mod bound;
#[cfg(feature = "engine")]
mod engine;
mod files;
#[cfg(feature = "engine")]
mod forward;
#[cfg(feature = "engine")]
mod fused;
#[cfg(feature = "engine")]
mod ideal_denoiser;
mod js;
#[cfg(feature = "engine")]
mod loaded;
#[cfg(feature = "engine")]
mod reverse;
#[cfg(feature = "engine")]
mod samplers;
#[cfg(feature = "engine")]
mod schedule;
#[cfg(feature = "engine")]
mod train;

use wasm_bindgen::prelude::*;

#[cfg(feature = "engine")]
use crate::diffusion::noise::Generator;

#[cfg(feature = "engine")]
pub use engine::Engine;
#[cfg(feature = "engine")]
pub use fused::fuse;
#[cfg(feature = "engine")]
pub use samplers::samplers;
#[cfg(feature = "engine")]
pub use schedule::schedule;
#[cfg(feature = "engine")]
pub use train::Training;

/// Turns panics into messages in the console; called once, when the module is loaded.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// PyTorch's `randn` of `len` numbers after `manual_seed(seed)`, on its CPU generator.
#[cfg(feature = "engine")]
#[wasm_bindgen]
pub fn randn(seed: f64, len: usize) -> Result<Vec<f32>, JsValue> {
    let mut noise = vec![0.0; len];
    Generator::new(js::seed(seed)?).randn(&mut noise);
    Ok(noise)
}

/// The SHA-256 of a file, in lower-case hexadecimal.
#[cfg(feature = "engine")]
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    crate::model::sha256(&[bytes])
}
