//! Euler steps to a smaller σ than asked for, the difference filled up with fresh noise (k-diffusion's ancestral
//! sampling).

use super::euler::flow;
use super::exploding_step;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::sigmas::Grid;
use crate::diffusion::step::{Row, Step};

pub(super) fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    (skip..grid.timesteps.len())
        .map(|i| {
            let (from, to) = (grid.sigmas[i] as f32, grid.sigmas[i + 1] as f32);
            let up = if from == 0.0 {
                0.0
            } else {
                (to * to * (from * from - to * to) / (from * from))
                    .max(0.0)
                    .sqrt()
            };
            let down = (to * to - up * up).max(0.0).sqrt();
            Step {
                next: flow(grid.sigmas[i], f64::from(down)) + f64::from(up) * Row::NOISE,
                ..exploding_step(config, grid.timesteps[i], grid.sigmas[i])
            }
        })
        .collect()
}
