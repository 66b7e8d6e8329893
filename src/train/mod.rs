//! Training a network.

pub mod data;
