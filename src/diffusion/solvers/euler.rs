//! Euler steps of the probability-flow ODE in σ-space (Karras et al. 2022, without churn).

use super::exploding_step;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::sigmas::Grid;
use crate::diffusion::step::{Row, Step};

pub(super) fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    (skip..grid.timesteps.len())
        .map(|i| Step {
            next: flow(grid.sigmas[i], grid.sigmas[i + 1]),
            ..exploding_step(config, grid.timesteps[i], grid.sigmas[i])
        })
        .collect()
}

/// From `sigma` to `next` along (x − x̂0)/σ: x + (next − σ)·(x − x̂0)/σ.
pub(super) fn flow(sigma: f64, next: f64) -> Row {
    let ratio = if sigma == 0.0 { 0.0 } else { next / sigma };
    ratio * Row::X + (1.0 - ratio) * Row::X0
}
