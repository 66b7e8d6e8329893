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

/// The timesteps of `request`, falling: its own, else its steps in about equal distances out of the `original_steps` ones; and a
/// sentence where its own are none of those.
///
/// # Errors
/// If there are fewer original ones than steps, or fewer timesteps than original ones.
pub(super) fn chosen(
    config: &SchedulerConfig,
    original_steps: usize,
    request: &SamplingRequest,
) -> Result<(Vec<i64>, Option<String>), ScheduleError> {
    let (total, steps) = (config.num_train_timesteps, request.steps);
    let refuse = |sentence: String| Err(ScheduleError::Request(sentence));
    if original_steps > total {
        return refuse(format!(
            "original_inference_steps is {original_steps} and num_train_timesteps {total}; it must be at most that"
        ));
    }
    let stride = (total / original_steps) as i64;
    if let Some(list) = &request.timesteps {
        let other = list
            .iter()
            .find(|t| (*t + 1) % stride != 0 || (*t + 1) / stride > original_steps as i64);
        let sentence = other.map(|t| {
            format!("timestep {t} is none of the {original_steps} that original_inference_steps stands for")
        });
        return Ok((given(config, list)?, sentence));
    }
    if steps > original_steps {
        return refuse(format!(
            "{} takes at most original_inference_steps, {original_steps}; {steps} steps were asked for",
            config.solver().name()
        ));
    }
    let distance = original_steps as f64 / steps as f64;
    let places = (0..steps).map(|i| original_steps as i64 - (i as f64 * distance) as i64);
    Ok((places.map(|place| place * stride - 1).collect(), None))
}
