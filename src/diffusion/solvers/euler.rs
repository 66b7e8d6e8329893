//! Euler steps of the probability-flow ODE in σ-space (Karras et al. 2022, without churn).

use super::spaces::{check_skip, exploding, exploding_step};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes, Trained,
};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::sigmas::{Grid, Sigmas, SingleStepGrid};
use crate::diffusion::step::{Clip, Row, Step};

/// Euler's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Euler {
    /// σ in equal steps of ln σ before any spacing.
    pub log_linear: bool,
    /// With v-prediction the network's timestep input is ¼·ln σ.
    pub continuous_timesteps: bool,
    pub sigmas: Sigmas,
}

impl Solver for Euler {
    const ABOUT: About = About {
        name: "euler",
        title: "Euler",
        class: "EulerDiscreteScheduler",
        near: &["LMSDiscreteScheduler"],
        fields: &[
            &[
                "rescale_betas_zero_snr",
                "interpolation_type",
                "timestep_type",
                "final_sigmas_type",
            ],
            Sigmas::FIELDS,
        ],
        prediction_types: &[
            ("epsilon", PredictionType::Epsilon),
            ("sample", PredictionType::Sample),
            ("v_prediction", PredictionType::Velocity),
            ("original_sample", PredictionType::Sample),
        ],
        trained: Trained::DDPM,
        timestep_spacing: Spacing::Linspace,
        clip: Clip::None,
        grid: GridFamily::Sigmas,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: None,
            variance: false,
            timesteps: false,
            thresholding: false,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        let interpolation = ["linear", "log_linear"];
        let mut sigmas = Sigmas::read(fields, false)?;
        sigmas.read_last(fields)?;
        Ok(Self {
            log_linear: fields.one_of("interpolation_type", &interpolation)? == 1,
            // null is not "continuous", which is all that diffusers asks.
            continuous_timesteps: !fields.is_null("timestep_type")
                && fields.one_of("timestep_type", &["discrete", "continuous"])? == 1,
            sigmas,
        })
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let velocity = config.prediction_type == PredictionType::Velocity;
        let options = SingleStepGrid {
            sigmas: self.sigmas,
            log_linear: self.log_linear,
            log_timesteps: self.continuous_timesteps && velocity,
        };
        let grid = Grid::single_step(config, schedule, &options, request.steps)?;
        check_skip(request.skip, grid.timesteps.len())?;
        let steps = steps(config, &grid, request.skip);
        Ok(exploding(config, steps, &grid, request.skip))
    }
}

fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    (skip..grid.timesteps.len())
        .map(|i| Step {
            next: flow(config, grid.sigmas[i], grid.sigmas[i + 1]),
            ..exploding_step(config, grid.timesteps[i], grid.sigmas[i])
        })
        .collect()
}

/// From `sigma` to `next` along [`slope`].
pub(super) fn flow(config: &SchedulerConfig, sigma: f64, next: f64) -> Row {
    if is_slope(config) {
        return Row::X + (next - sigma) * Row::MODEL;
    }
    let ratio = if sigma == 0.0 { 0.0 } else { next / sigma };
    ratio * Row::X + (1.0 - ratio) * Row::X0
}

/// dx/dσ = (x − x̂0)/σ
pub(super) fn slope(config: &SchedulerConfig, sigma: f64) -> Row {
    match sigma {
        _ if is_slope(config) => Row::MODEL,
        0.0 => Row::ZERO,
        _ => 1.0 / sigma * (Row::X - Row::X0),
    }
}

/// Whether the network's output is dx/dσ. By way of x̂0 = x − σ·ε a great σ would lose its digits: x and σ·ε are nearly equal.
fn is_slope(config: &SchedulerConfig) -> bool {
    config.prediction_type == PredictionType::Epsilon && config.clip == Clip::None
}
