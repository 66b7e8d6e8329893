//! Euler steps to a smaller σ than asked for, the difference filled up with fresh noise (k-diffusion's ancestral
//! sampling).

use super::euler::flow;
use super::spaces::{check_skip, exploding, exploding_step};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes,
};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::sigmas::{Grid, SingleStepGrid};
use crate::diffusion::step::{Clip, Row, Step};

/// Ancestral Euler, which has no settings of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EulerAncestral;

impl Solver for EulerAncestral {
    const ABOUT: About = About {
        name: "euler-a",
        title: "Euler ancestral",
        class: "EulerAncestralDiscreteScheduler",
        fields: &[&["rescale_betas_zero_snr"]],
        prediction_types: PredictionType::NAMED,
        beta_ends: (0.0001, 0.02),
        timestep_spacing: Spacing::Linspace,
        clip: Clip::None,
        grid: GridFamily::Sigmas,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: false,
            variance: false,
            timesteps: false,
            thresholding: false,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        Ok(Self)
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let options = SingleStepGrid::default();
        let grid = Grid::single_step(config, schedule, &options, request.steps)?;
        check_skip(request.skip, grid.timesteps.len())?;
        let steps = steps(config, &grid, request.skip);
        Ok(exploding(config, steps, &grid, request.skip))
    }
}

fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
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
