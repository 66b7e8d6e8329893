//! The command line, as its users call it.

mod commands;
mod data;
mod kernels;
mod same_bytes;
mod train;
