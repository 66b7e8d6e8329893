//! Pollen.
pub mod cpu;
pub mod diffusion;
pub mod gpu;
pub mod graph;
pub mod model;
pub mod ops;
pub mod real;
#[cfg(target_arch = "wasm32")]
pub mod web;
