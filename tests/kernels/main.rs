//! Every kernel against its twin, and every gradient, mid-graph: the twins in f64 against central differences, and both
//! executors against the twins. On awkward shapes: odd, prime, non-square, batch above 1, channel counts off the tile,
//! stride 2, one group, one pixel.

#[path = "../support/mod.rs"]
mod support;

mod attention;
mod blocks;
mod chain;
mod conv2d;
mod counts;
mod elementwise;
mod linear;
mod loss;
mod norm;
mod resample;
