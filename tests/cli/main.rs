//! The command line, as its users call it.

mod commands;
mod kernels;
mod opening;
mod same_bytes;
mod train;
