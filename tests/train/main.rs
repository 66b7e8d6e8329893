//! Training: data, steps against PyTorch.

#[path = "../support/mod.rs"]
mod support;

mod data;
mod steps;
