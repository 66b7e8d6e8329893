//! The `cpu` executor: the same plan on the processor, for where there is no WebGPU.

pub mod executor;

pub use executor::CpuExecutor;
