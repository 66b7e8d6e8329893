//! Strategic stochastic sampling of trajectory consistency models (Zheng et al. 2024, algorithm 4): each step jumps along the
//! trajectory to s = (1 − η)·t', η being the paper's γ, and is noised from there to t'.

use super::originals::{self, chosen};
use super::spaces::{check_skip, predictions, preserving};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes,
};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{Clip, Row, Step};
use crate::diffusion::timesteps::alphas_cumprod;
use crate::json::number;

/// TCD's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Tcd {
    /// How many timesteps the student was distilled on.
    pub original_inference_steps: usize,
    /// The file asks for a clip, which the class reads and does not do.
    pub asks_for_clip: bool,
}

impl Default for Tcd {
    fn default() -> Self {
        Self {
            original_inference_steps: 50,
            asks_for_clip: false,
        }
    }
}

impl Solver for Tcd {
    const ABOUT: About = About {
        name: "tcd",
        title: "TCD",
        class: "TCDScheduler",
        near: &[],
        fields: &[&[
            "rescale_betas_zero_snr",
            "original_inference_steps",
            "clip_sample",
            "thresholding",
        ]],
        prediction_types: PredictionType::NAMED,
        trained: originals::TRAINED,
        timestep_spacing: Spacing::Leading,
        clip: Clip::None,
        grid: GridFamily::Timesteps,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: Some(0.3),
            variance: false,
            timesteps: true,
            thresholding: false,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        Ok(Self {
            original_inference_steps: originals::read(fields)?,
            asks_for_clip: fields.flag("thresholding", false)?
                || fields.flag("clip_sample", false)?,
        })
    }

    fn most_steps(&self) -> usize {
        self.original_inference_steps
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let eta = request.eta(&Self::ABOUT);
        if eta > 1.0 {
            return Err(ScheduleError::Request(format!(
                "eta is {}, {} takes it from 0 to 1",
                number(eta),
                Self::ABOUT.name
            )));
        }
        let (timesteps, unknown) = chosen(config, self.original_inference_steps, request)?;
        let alphas = alphas_cumprod(schedule, &timesteps)?;
        check_skip(request.skip, timesteps.len())?;
        let table = schedule.alphas_cumprod();
        let steps = (request.skip..timesteps.len()).map(|i| {
            let next = timesteps.get(i + 1).map(|&next| (next, alphas[i + 1]));
            let s = next.map_or(0, |(t, _)| ((1.0 - eta) as f32 * t as f32) as usize);
            let noised = next.filter(|_| eta > 0.0).map(|(_, alpha_bar)| alpha_bar);
            step(config, timesteps[i], alphas[i], table[s], noised)
        });
        let mut sampling = preserving(steps.collect(), &alphas[request.skip..]);
        sampling.warnings.extend(unknown);
        if self.asks_for_clip {
            sampling.warnings.push(
                "the scheduler file asks for a clip, which TCDScheduler of diffusers 0.42.1 does not do; nothing is clipped here \
                 either"
                    .into(),
            );
        }
        Ok(sampling)
    }
}

/// From timestep `t` along the trajectory to `alpha_bar_s`, and from there by fresh noise to `noised`.
fn step(
    config: &SchedulerConfig,
    t: i64,
    alpha_bar: f32,
    alpha_bar_s: f32,
    noised: Option<f32>,
) -> Step {
    let (signal, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    let (x0, epsilon) = predictions(
        config.prediction_type,
        f64::from(signal),
        f64::from(sigma),
        Clip::None,
    );
    let at_s =
        f64::from(alpha_bar_s.sqrt()) * Row::X0 + f64::from((1.0 - alpha_bar_s).sqrt()) * epsilon;
    Step {
        timestep: t as f64,
        input_scale: 1.0,
        x0,
        next: match noised {
            Some(next) => {
                let ratio = next / alpha_bar_s;
                f64::from(ratio.sqrt()) * at_s + f64::from((1.0 - ratio).sqrt()) * Row::NOISE
            }
            None => at_s,
        },
        draws: noised.is_some(),
        ..Step::default()
    }
}
