//! Normalisation over groups of channels: statistics as a scale and an offset a channel, their application, gradients.

pub mod affine;
pub mod gradient;
pub mod group_stats;
pub mod input_gradient;
pub mod moments;
pub mod params_gradient;

pub use affine::Affine;
pub use gradient::NormGradient;
pub use group_stats::{GroupStats, GroupStatsKernel};
pub use input_gradient::NormInputGradient;
pub use moments::Moments;
pub use params_gradient::NormParamsGradient;
