//! Pollen: diffusion models on the GPU, natively and in the browser.
//!
//! The path of one step: [`model`] reads a diffusers folder and builds its U-Net as a [`graph`] of [`ops`], which is
//! lowered to kernels and given an arena; [`gpu`] or [`cpu`] runs that plan; [`diffusion`] says what a solver does with
//! the result; [`engine`] joins them.
//!
//! - [`diffusion`]: the mathematics without a GPU. Schedules, the forward chain, solvers as lists of linear
//!   combinations, the variational bound, the ideal denoiser, PyTorch's generator.
//! - [`model`]: configuration, checkpoints, the U-Net's graph, initial weights, export.
//! - [`graph`]: values, parameters, what an operation and a kernel are, lowering with its fusion by absorption, the plan
//!   and its arena.
//! - [`ops`]: a folder a family of operations, with their shapes, what they absorb, kernels, scalar twins, gradients. The
//!   shaders are in the folder of that name in `shaders/`.
//! - [`gpu`]: device, shader preprocessor, pipelines, one pass a run, submits, readback.
//! - [`cpu`]: the same plans on the processor.
//! - [`engine`]: a device, a network loaded on it, the two chains, and what a step costs.
//! - [`train`]: pictures, what a step draws, the loop on the device, its checkpoints. [`picture`]: whether a picture
//!   file is whole, and natively its numbers.
//! - [`real`]: the arithmetic that twins are written in. `order`: the one sort. [`error`]: what can go wrong, as sentences.
//! - `web`: what JavaScript sees; in WebAssembly alone.
#![cfg_attr(not(feature = "engine"), allow(dead_code))]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used))]

pub mod cpu;
pub mod diffusion;
pub mod engine;
pub mod error;
pub mod gpu;
pub mod graph;
mod json;
pub mod model;
pub mod ops;
mod order;
pub mod picture;
pub mod real;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::Error;
