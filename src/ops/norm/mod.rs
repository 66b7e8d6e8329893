//! Normalisation over groups of channels: statistics as a scale and an offset a channel, their application, gradients.

pub mod affine;
pub mod gradient;
pub mod gradient_kernel;
pub mod group_stats;
pub mod moments;

pub use affine::Affine;
pub use gradient::{NormGradient, NormTerms};
pub use group_stats::{GroupStats, GroupStatsKernel};
pub use moments::Moments;
