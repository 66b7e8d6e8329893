//! Heun's second-order method in σ-space (Karras et al. 2022, algorithm 1): an Euler step, then the same step again
//! with the mean of the slopes at both ends. Two steps an interval, one in the last, which ends at σ = 0.

use super::euler::flow;
use super::{exploding_step, without_last_history};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::sigmas::Grid;
use crate::diffusion::step::{Row, Step};

/// History: the slope at the interval's beginning, and x there.
const SLOPE: usize = 0;
const ORIGIN: usize = 1;

pub(super) fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for i in skip..grid.timesteps.len() {
        let (sigma, next) = (grid.sigmas[i], grid.sigmas[i + 1]);
        let mut first = Step {
            next: flow(sigma, next),
            ..exploding_step(config, grid.timesteps[i], sigma)
        };
        first.keep[SLOPE] = Some(slope(sigma));
        first.keep[ORIGIN] = Some(Row::X);
        steps.push(first);
        if let Some(&timestep) = grid.timesteps.get(i + 1) {
            let half = 0.5 * (next - sigma);
            steps.push(Step {
                next: Row::history(ORIGIN) + half * (Row::history(SLOPE) + slope(next)),
                ..exploding_step(config, timestep, next)
            });
        }
    }
    without_last_history(steps)
}

/// dx/dσ = (x − x̂0)/σ
fn slope(sigma: f64) -> Row {
    if sigma == 0.0 {
        Row::ZERO
    } else {
        1.0 / sigma * (Row::X - Row::X0)
    }
}
