//! Euler steps to a smaller σ than asked for, the difference filled up with fresh noise (k-diffusion's ancestral
//! sampling).

use super::euler::flow;
use super::spaces::{check_skip, exploding, exploding_step};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes, Trained,
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
        near: &["KDPM2AncestralDiscreteScheduler"],
        fields: &[&["rescale_betas_zero_snr"]],
        prediction_types: PredictionType::NAMED,
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
        let mut sampling = exploding(config, steps, &grid, request.skip);
        let mut intervals = intervals(&grid, request.skip);
        if let Some(i) = intervals.position(|(from, to)| has_no_root(from, to)) {
            sampling.warnings.push(format!(
                "in step {} diffusers 0.42.1 takes the root of a negative number and its picture is NaN; here it is the root of 0",
                i + 1
            ));
        }
        Ok(sampling)
    }
}

fn steps(config: &SchedulerConfig, grid: &Grid, skip: usize) -> Vec<Step> {
    (skip..)
        .zip(intervals(grid, skip))
        .map(|(i, (from, to))| {
            let up = variance(from, to).max(0.0).sqrt();
            let down = (to * to - up * up).max(0.0).sqrt();
            Step {
                next: flow(config, grid.sigmas[i], f64::from(down)) + f64::from(up) * Row::NOISE,
                draws: true,
                ..exploding_step(config, grid.timesteps[i], grid.sigmas[i])
            }
        })
        .collect()
}

/// σ before and after each step.
fn intervals(grid: &Grid, skip: usize) -> impl Iterator<Item = (f32, f32)> {
    let levels = grid.sigmas[skip..].windows(2);
    levels.map(|pair| (pair[0] as f32, pair[1] as f32))
}

/// The variance of the fresh noise of a step, below 0 where the noise level rises.
fn variance(from: f32, to: f32) -> f32 {
    if from == 0.0 {
        return 0.0;
    }
    to * to * (from * from - to * to) / (from * from)
}

/// Whether what diffusers takes the root of is below 0: in a rise, or by rounding where next to all noise is fresh.
fn has_no_root(from: f32, to: f32) -> bool {
    let variance = variance(from, to);
    let up = variance.sqrt();
    variance < 0.0 || to * to - up * up < 0.0
}
