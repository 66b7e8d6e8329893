//! Pollen.
pub mod diffusion;
pub mod graph;
pub mod model;
pub mod real;
