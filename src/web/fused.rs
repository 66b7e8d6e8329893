//! Multiply-adds that round once, by a module of their own that the Worker brings where the browser takes it.

use pollen_dense::product::Tile;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// [`pollen_dense::relaxed`]'s function, made in this module's memory.
    #[wasm_bindgen(js_name = pollenSums)]
    fn sums(tile: *const Tile, vectors: usize);
}

/// The processor's products are made by the global function `pollenSums` from now on.
#[wasm_bindgen]
pub fn fuse() {
    pollen_dense::relaxed::fuse(|tile, vectors| sums(tile, vectors));
}
