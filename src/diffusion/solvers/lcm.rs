//! Multistep sampling of latent consistency models (Luo et al. 2023, algorithm 2): each step jumps to x0 and noises it again.

use super::clipping::{CLIP_SAMPLE, THRESHOLDING, clip_sample, thresholding};
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

/// The standard deviation of the data that c_skip and c_out are made for.
const SIGMA_DATA: f64 = 0.5;

/// LCM's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Lcm {
    /// How many timesteps the student was distilled on.
    pub original_inference_steps: usize,
    /// What the timestep is multiplied by in c_skip and c_out.
    pub timestep_scaling: f64,
}

impl Default for Lcm {
    fn default() -> Self {
        Self {
            original_inference_steps: 50,
            timestep_scaling: 10.0,
        }
    }
}

impl Solver for Lcm {
    const ABOUT: About = About {
        name: "lcm",
        title: "LCM",
        class: "LCMScheduler",
        near: &[],
        fields: &[
            &[
                "rescale_betas_zero_snr",
                "original_inference_steps",
                "timestep_scaling",
            ],
            THRESHOLDING,
            CLIP_SAMPLE,
        ],
        prediction_types: PredictionType::NAMED,
        trained: originals::TRAINED,
        timestep_spacing: Spacing::Leading,
        clip: Clip::None,
        grid: GridFamily::Timesteps,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: None,
            variance: false,
            timesteps: true,
            thresholding: true,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        config.clip = match thresholding(fields)? {
            Some(dynamic) => dynamic,
            None => clip_sample(fields, false)?,
        };
        Ok(Self {
            original_inference_steps: originals::read(fields)?,
            timestep_scaling: fields.number("timestep_scaling", 10.0)?,
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
        let (timesteps, unknown) = chosen(config, self.original_inference_steps, request)?;
        let alphas = alphas_cumprod(schedule, &timesteps)?;
        check_skip(request.skip, timesteps.len())?;
        let steps = (request.skip..timesteps.len()).map(|i| {
            let next = alphas.get(i + 1).copied();
            self.step(config, timesteps[i], alphas[i], next)
        });
        Ok(Sampling {
            warnings: unknown.into_iter().collect(),
            ..preserving(steps.collect(), &alphas[request.skip..])
        })
    }
}

impl Lcm {
    /// From timestep `t` to the `next` ᾱ, or where there is none to x0.
    fn step(&self, config: &SchedulerConfig, t: i64, alpha_bar: f32, next: Option<f32>) -> Step {
        let (signal, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        let (x0, _) = predictions(
            config.prediction_type,
            f64::from(signal),
            f64::from(sigma),
            config.clip,
        );
        let scaled = t as f64 * self.timestep_scaling;
        let square = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        // The boundary condition: at t = 0 the student's x0 is x itself.
        let (c_skip, c_out) = (SIGMA_DATA * SIGMA_DATA / square, scaled / square.sqrt());
        let denoised = c_out * Row::X0 + c_skip * Row::X;
        Step {
            timestep: t as f64,
            input_scale: 1.0,
            x0,
            clip: config.clip,
            next: match next {
                Some(next) => {
                    f64::from(next.sqrt()) * denoised + f64::from((1.0 - next).sqrt()) * Row::NOISE
                }
                None => denoised,
            },
            draws: next.is_some(),
            ..Step::default()
        }
    }
}
