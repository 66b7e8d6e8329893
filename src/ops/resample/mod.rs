//! Images at half and at twice their size.

pub mod pool;
pub mod pool_gradient;
pub mod upsample;

pub use pool::Pool;
pub use pool_gradient::PoolGradient;
pub use upsample::Upsample;
