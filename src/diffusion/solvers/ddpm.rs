//! Ancestral sampling (Ho et al. 2020, algorithm 2), over all timesteps or some of them.
//!
//! The mean is that of q(x_{t'} | x_t, x0) at the bounded x̂0 (eq. 7), t' being the next visited timestep.

use super::{Sampling, SamplingRequest, check_skip, predictions, preserving};
use crate::diffusion::choices::VarianceType;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::sigmas::visited;
use crate::diffusion::step::{LearnedVariance, Row, Step};

/// Variances below this count as this, so that their logarithm exists.
const LEAST_VARIANCE: f32 = 1e-20;

pub(super) fn chain(
    config: &SchedulerConfig,
    schedule: &Schedule,
    request: &SamplingRequest,
) -> Result<Sampling, ScheduleError> {
    let variance = request.variance.unwrap_or(config.variance_type);
    let learned = matches!(variance, VarianceType::Learned | VarianceType::LearnedRange);
    if learned && !request.learned_variance {
        return Err(ScheduleError::Request(format!(
            "variance_type {} needs a network with twice as many output as input channels",
            variance.name()
        )));
    }
    let timesteps = timesteps(config, request)?;
    let alphas = alphas_cumprod(schedule, &timesteps)?;
    check_skip(request.skip, timesteps.len())?;
    let steps = (request.skip..timesteps.len())
        .map(|i| {
            let next = alphas.get(i + 1).copied().unwrap_or(1.0);
            step(config, variance, timesteps[i], alphas[i], next)
        })
        .collect();
    Ok(preserving(steps, &alphas[request.skip..]))
}

fn timesteps(
    config: &SchedulerConfig,
    request: &SamplingRequest,
) -> Result<Vec<i64>, ScheduleError> {
    let total = config.num_train_timesteps;
    match &request.timesteps {
        Some(list) => {
            if list.is_empty() || list.iter().any(|t| !(0..total as i64).contains(t)) {
                return Err(ScheduleError::Request(format!(
                    "timesteps must be numbers from 0 to {}",
                    total - 1
                )));
            }
            if list.windows(2).any(|pair| pair[1] >= pair[0]) {
                return Err(ScheduleError::Request(
                    "timesteps must be in descending order".into(),
                ));
            }
            Ok(list.clone())
        }
        None => chain_timesteps(config, request.steps),
    }
}

/// The visited timesteps of a chain that has at most T of them.
pub(super) fn chain_timesteps(
    config: &SchedulerConfig,
    count: usize,
) -> Result<Vec<i64>, ScheduleError> {
    let total = config.num_train_timesteps;
    if count > total {
        return Err(ScheduleError::Request(format!(
            "{} takes at most as many steps as the network was trained on, {total}; {count} were asked for",
            config.sampler.name()
        )));
    }
    Ok(visited(config, count))
}

/// ᾱ at each timestep.
pub(super) fn alphas_cumprod(
    schedule: &Schedule,
    timesteps: &[i64],
) -> Result<Vec<f32>, ScheduleError> {
    let table = schedule.alphas_cumprod();
    let at = |&t: &i64| usize::try_from(t).ok().and_then(|t| table.get(t)).copied();
    timesteps
        .iter()
        .map(|t| {
            at(t).ok_or_else(|| {
                ScheduleError::Request(format!(
                    "the chain visits timestep {t}, the schedule has 0 to {}; lower the steps or steps_offset",
                    table.len() - 1
                ))
            })
        })
        .collect()
}

fn step(
    config: &SchedulerConfig,
    kind: VarianceType,
    t: i64,
    alpha_bar: f32,
    alpha_bar_next: f32,
) -> Step {
    let noise_level = 1.0 - alpha_bar;
    let noise_level_next = 1.0 - alpha_bar_next;
    let alpha = alpha_bar / alpha_bar_next;
    let beta = 1.0 - alpha;
    let (signal, sigma) = (f64::from(alpha_bar.sqrt()), f64::from(noise_level.sqrt()));
    let (x0, _) = predictions(config.prediction_type, signal, sigma, config.bound);
    let mut step = Step {
        timestep: t as f64,
        input_scale: 1.0,
        x0,
        bound: config.bound,
        next: Row {
            x0: f64::from(alpha_bar_next.sqrt() * beta / noise_level),
            x: f64::from(alpha.sqrt() * noise_level_next / noise_level),
            ..Row::ZERO
        },
        ..Step::default()
    };
    if t == 0 {
        return step;
    }
    let beta_tilde = (noise_level_next / noise_level * beta).max(LEAST_VARIANCE);
    step.next.noise = match kind {
        VarianceType::FixedSmall | VarianceType::FixedSmallLog => f64::from(beta_tilde.sqrt()),
        VarianceType::FixedLarge | VarianceType::FixedLargeLog => f64::from(beta.sqrt()),
        VarianceType::Learned | VarianceType::LearnedRange => {
            step.variance = Some(LearnedVariance {
                min_log: libm::log(f64::from(beta_tilde)),
                max_log: libm::log(f64::from(beta.max(LEAST_VARIANCE))),
                range: kind == VarianceType::LearnedRange,
            });
            1.0
        }
    };
    step
}
