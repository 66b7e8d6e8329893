//! The `gpu` executor: device, pipelines, one pass a run, submits, read-back.

pub mod device;
pub mod executor;
#[cfg(not(target_arch = "wasm32"))]
mod opaque;
mod pending;
pub mod preprocess;
pub mod readback;
mod timing;
pub mod weights;
pub mod wgsl;

pub use device::{Gpu, GpuError};
pub use executor::GpuExecutor;
pub use weights::GpuWeights;
