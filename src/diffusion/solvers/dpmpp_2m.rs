//! DPM-Solver++ multistep of order 1 to 3 (Lu et al. 2022): the ODE in the half log-SNR λ = ln(α/σ), with x̂0
//! extrapolated from the steps before.

use super::{predictions, signal, without_last_history};
use crate::diffusion::choices::{FinalSigma, SolverType};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::sigmas::Grid;
use crate::diffusion::step::{HISTORY, Row, Step};

/// Chains shorter than this end in lower orders, where `lower_order_final` says so.
const SHORT: usize = 15;

pub(super) fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    let count = grid.timesteps.len();
    let steps = (skip..count).map(|i| {
        let sigma = grid.sigmas[i];
        let alpha = signal(sigma);
        let (x0, _) = predictions(config.prediction_type, alpha, sigma * alpha, config.bound);
        let mut keep = [None; HISTORY];
        for (place, row) in keep
            .iter_mut()
            .zip([Row::X0, Row::history(0)])
            .take(config.solver_order - 1)
        {
            *place = Some(row);
        }
        Step {
            timestep: grid.timesteps[i],
            input_scale: 1.0,
            x0,
            bound: config.bound,
            next: next(config, &grid.sigmas, i, order(config, i, i - skip, count)),
            keep,
            variance: None,
        }
    });
    without_last_history(steps.collect())
}

/// The order of step `i` of `count`, `past` steps having been taken.
fn order(config: &SchedulerConfig, i: usize, past: usize, count: usize) -> usize {
    let lowered = config.lower_order_final && count < SHORT;
    let last = i + 1 == count
        && (config.euler_at_final || lowered || config.final_sigmas_type == FinalSigma::Zero);
    let order = config.solver_order.min(past + 1);
    if last {
        1
    } else if i + 2 == count && lowered {
        order.min(2)
    } else {
        order
    }
}

/// The update from `sigmas[i]` to `sigmas[i + 1]`. Where two noise levels coincide, or the end is σ = 0, the divided
/// differences of higher orders do not exist and the order falls to what does.
fn next(config: &SchedulerConfig, sigmas: &[f64], i: usize, order: usize) -> Row {
    let (sigma, sigma_next) = (sigmas[i], sigmas[i + 1]);
    let (alpha, alpha_next) = (signal(sigma), signal(sigma_next));
    let ratio = sigma_next / sigma;
    // e^(−h), h the step in λ, is the ratio of the σ.
    let first = ratio * (alpha_next / alpha) * Row::X + alpha_next * (1.0 - ratio) * Row::X0;
    let h = -libm::log(ratio);
    let lambda_step = |back: usize| libm::log(sigmas[i - back] / sigmas[i + 1 - back]) / h;
    if order == 1 || h == 0.0 || sigma_next == 0.0 || sigmas[i - 1] == sigma {
        return first;
    }
    let r0 = lambda_step(1);
    let slope0 = 1.0 / r0 * (Row::X0 - Row::history(0));
    // ∫ of 1, λ/h and (λ/h)²/2 over the step, against e^λ.
    let linear = alpha_next * (1.0 - (1.0 - ratio) / h);
    if order == 2 || sigmas[i - 2] == sigmas[i - 1] {
        let weight = match config.solver_type {
            SolverType::Heun => linear,
            _ => 0.5 * alpha_next * (1.0 - ratio),
        };
        return first + weight * slope0;
    }
    let r1 = lambda_step(2);
    let slope1 = 1.0 / r1 * (Row::history(0) - Row::history(1));
    let bend = 1.0 / (r0 + r1) * (slope0 - slope1);
    let quadratic = -alpha_next * ((ratio - 1.0 + h) / (h * h) - 0.5);
    first + linear * (slope0 + r0 * bend) + quadratic * bend
}
