//! The `cpu` executor: the same plan on the processor, for where there is no WebGPU.

pub mod columns;
pub mod conv2d;
pub mod conv2d_gradient;
pub mod executor;

pub use executor::CpuExecutor;
