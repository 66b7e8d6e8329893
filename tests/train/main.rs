//! Training: data, steps against PyTorch.

#[path = "../support/mod.rs"]
mod support;

mod arrays;
mod damaged;
mod data;
mod files;
mod steps;
