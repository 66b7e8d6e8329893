//! What JavaScript sees. `www/worker.js` calls this and nothing else; docs/api.md describes it from the page's side.

mod bound;
mod engine;
mod forward;
mod js;
mod optimum;
mod reverse;
mod schedule;

use wasm_bindgen::prelude::*;

pub use engine::Engine;
pub use schedule::schedule;

/// Once, before anything else: a panic becomes a message in the console.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// The SHA-256 of a file, in lower-case hexadecimal.
#[wasm_bindgen]
pub fn sha256(bytes: &[u8]) -> String {
    crate::model::sha256(bytes)
}
