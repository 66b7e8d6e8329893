//! What the solvers of distilled networks share that visit some of the timesteps their student was distilled on.

use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::{BetaSchedule, MAX_TIMESTEPS};
use crate::diffusion::timesteps::given;

use super::{SamplingRequest, Trained};

/// The betas of these classes, those of latent diffusion.
pub(super) const TRAINED: Trained = Trained {
    beta_schedule: BetaSchedule::ScaledLinear,
    beta_ends: (0.00085, 0.012),
    ..Trained::DDPM
};

/// `original_inference_steps`: the timesteps that the student was distilled on, in equal distances.
pub(super) fn read(fields: &Fields) -> Result<usize, ScheduleError> {
    fields.count("original_inference_steps", 50, MAX_TIMESTEPS)
}

/// The timesteps of `request`, falling: its own, else its steps in about equal distances out of the `originals` ones.
///
/// # Errors
/// If there are fewer original ones than steps, or fewer timesteps than original ones.
pub(super) fn chosen(
    config: &SchedulerConfig,
    originals: usize,
    request: &SamplingRequest,
) -> Result<Vec<i64>, ScheduleError> {
    if let Some(list) = &request.timesteps {
        return given(config, list);
    }
    let (total, steps) = (config.num_train_timesteps, request.steps);
    if originals > total || steps > originals {
        return Err(ScheduleError::Request(format!(
            "{} takes at most original_inference_steps, {originals}, of at most {total} timesteps; {steps} steps were asked for",
            config.solver().name()
        )));
    }
    let stride = (total / originals) as i64;
    let distance = originals as f64 / steps as f64;
    let places = (0..steps).map(|i| originals as i64 - (i as f64 * distance) as i64);
    Ok(places.map(|place| place * stride - 1).collect())
}
