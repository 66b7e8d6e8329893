//! Denoising diffusion implicit models (Song et al. 2021, eq. 12 and 16).
//!
//! The direction to x_t uses the ε̂ of the unbounded prediction.

use super::ddpm::{alphas_cumprod, chain_timesteps};
use super::{Sampling, SamplingRequest, check_skip, predictions, preserving};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{Row, Step};

pub(super) fn chain(
    config: &SchedulerConfig,
    schedule: &Schedule,
    request: &SamplingRequest,
) -> Result<Sampling, ScheduleError> {
    let timesteps = chain_timesteps(config, request.steps)?;
    let alphas = alphas_cumprod(schedule, &timesteps)?;
    check_skip(request.skip, timesteps.len())?;
    // As in diffusers, the next timestep is a fixed stride away, whatever the list says.
    let stride = (config.num_train_timesteps / request.steps) as i64;
    let table = schedule.alphas_cumprod();
    let last = if config.set_alpha_to_one {
        1.0
    } else {
        table[0]
    };
    let steps = timesteps
        .iter()
        .zip(&alphas)
        .skip(request.skip)
        .map(|(&t, &alpha_bar)| {
            let next = usize::try_from(t - stride).map_or(last, |next| table[next]);
            step(config, t, alpha_bar, next, request.eta as f32)
        });
    Ok(preserving(steps.collect(), &alphas[request.skip..]))
}

fn step(config: &SchedulerConfig, t: i64, alpha_bar: f32, alpha_bar_next: f32, eta: f32) -> Step {
    let noise_level = 1.0 - alpha_bar;
    let std = eta * variance(alpha_bar, alpha_bar_next).sqrt();
    let direction = (1.0 - alpha_bar_next - std * std).max(0.0).sqrt();
    let (signal, sigma) = (f64::from(alpha_bar.sqrt()), f64::from(noise_level.sqrt()));
    let (x0, epsilon) = predictions(config.prediction_type, signal, sigma, config.bound);
    Step {
        timestep: t as f64,
        input_scale: 1.0,
        x0,
        bound: config.bound,
        next: f64::from(alpha_bar_next.sqrt()) * Row::X0
            + f64::from(direction) * epsilon
            + f64::from(std) * Row::NOISE,
        ..Step::default()
    }
}

/// The variance at η = 1 of a step from ᾱ_t to ᾱ_t'.
fn variance(alpha_bar: f32, alpha_bar_next: f32) -> f32 {
    let noise_level = 1.0 - alpha_bar;
    if noise_level == 0.0 {
        return 0.0;
    }
    ((1.0 - alpha_bar_next) / noise_level * (1.0 - alpha_bar / alpha_bar_next)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::choices::Sampler;

    #[test]
    fn variance_at_known_points() {
        let schedule = SchedulerConfig::new(Sampler::Ddim).schedule().unwrap();
        let table = schedule.alphas_cumprod();
        for (t, next, expected) in [
            (420, 400, 0.14771),
            (980, 960, 0.32460),
            (487, 486, 0.00979),
            (999, 998, 0.02),
        ] {
            assert!(
                (variance(table[t], table[next]) - expected).abs() < 1e-5,
                "{t} {next}"
            );
        }
        assert_eq!(variance(table[0], 1.0), 0.0);
    }
}
