//! Heun's second-order method in σ-space (Karras et al. 2022, algorithm 1): an Euler step, then the same step again
//! with the mean of the slopes at both ends. Two steps an interval, one in the last, which ends at σ = 0.

use super::clipping::{CLIP_SAMPLE, clip_sample};
use super::euler::{flow, slope};
use super::spaces::{check_skip, exploding, exploding_step, without_last_history};
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

/// History: the slope at the interval's beginning, and x there.
const SLOPE: usize = 0;
const ORIGIN: usize = 1;

/// Heun's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heun {
    pub sigmas: Sigmas,
}

impl Solver for Heun {
    const ABOUT: About = About {
        name: "heun",
        title: "Heun",
        class: "HeunDiscreteScheduler",
        near: &["KDPM2DiscreteScheduler"],
        fields: &[Sigmas::FIELDS, CLIP_SAMPLE],
        prediction_types: PredictionType::NAMED,
        trained: Trained {
            beta_ends: (0.00085, 0.012),
            ..Trained::DDPM
        },
        timestep_spacing: Spacing::Linspace,
        clip: Clip::None,
        grid: GridFamily::Sigmas,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 2, last: 1 },
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
        config.clip = clip_sample(fields, false)?;
        Ok(Self {
            sigmas: Sigmas::read(fields, false)?,
        })
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let options = SingleStepGrid {
            sigmas: self.sigmas,
            ..SingleStepGrid::default()
        };
        let grid = Grid::single_step(config, schedule, &options, request.steps)?;
        check_skip(request.skip, grid.timesteps.len())?;
        let steps = steps(config, &grid, request.skip);
        Ok(exploding(config, steps, &grid, request.skip))
    }
}

fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for i in skip..grid.timesteps.len() {
        let (sigma, next) = (grid.sigmas[i], grid.sigmas[i + 1]);
        let mut first = Step {
            next: flow(config, sigma, next),
            ..exploding_step(config, grid.timesteps[i], sigma)
        };
        first.keep[SLOPE] = Some(slope(config, sigma));
        first.keep[ORIGIN] = Some(Row::X);
        steps.push(first);
        if let Some(&timestep) = grid.timesteps.get(i + 1) {
            let half = 0.5 * (next - sigma);
            steps.push(Step {
                next: Row::history(ORIGIN) + half * (Row::history(SLOPE) + slope(config, next)),
                ..exploding_step(config, timestep, next)
            });
        }
    }
    without_last_history(steps)
}
