//! The mathematics of diffusion models: schedules, the forward chain, solvers of the reverse chain, the variational
//! bound, and PyTorch's noise. Nothing here knows a network or a GPU; coefficients are f64.
//!
//! Formulas count timesteps t = 1…T as the paper does; the networks' timestep input, and what diffusers' files hold, is
//! t − 1 = 0…T−1.

pub mod bound;
pub mod chain;
pub mod choices;
pub mod config;
pub mod error;
mod fields;
pub mod fill;
pub mod forward;
pub mod ideal_denoiser;
pub mod likelihood;
pub mod noise;
mod quantile;
pub mod schedule;
pub mod sigmas;
pub mod solvers;
pub mod step;
mod timesteps;
