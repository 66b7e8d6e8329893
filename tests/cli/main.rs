//! The command line, as its users call it.

mod commands;
mod data;
mod fill;
mod folders;
mod kernels;
mod opening;
mod same_bytes;
mod train;
