//! Pollen: diffusion models on the GPU, natively and in the browser.
pub mod cpu;
pub mod diffusion;
pub mod engine;
pub mod error;
pub mod gpu;
pub mod graph;
pub mod model;
pub mod ops;
pub mod real;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::Error;
