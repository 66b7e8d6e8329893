//! Ancestral sampling (Ho et al. 2020, algorithm 2), over all timesteps or some of them.
//!
//! The mean is that of q(x_{t'} | x_t, x0) at the clipped x̂0 (eq. 7), t' being the next visited timestep.

use super::clipping::{CLIP_SAMPLE, THRESHOLDING, clip_sample, thresholding};
use super::spaces::{check_skip, predictions, preserving};
use super::{
    About, DefaultSteps, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes, Trained,
};
use crate::diffusion::choices::{PredictionType, Spacing, VarianceType};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::{Fields, choose};
use crate::diffusion::fill::Back;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{Clip, LearnedVariance, Row, Step};
use crate::diffusion::timesteps::{alphas_cumprod, given, left_out, visited};

/// Variances below this count as this, so that their logarithm exists.
const LEAST_VARIANCE: f32 = 1e-20;

/// DDPM, whose one setting, the variance, is [`SchedulerConfig::variance_type`]: the variational bound reads it too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ddpm;

impl Solver for Ddpm {
    const ABOUT: About = About {
        name: "ddpm",
        title: "DDPM",
        class: "DDPMScheduler",
        near: &["DDPMParallelScheduler"],
        fields: &[
            &["rescale_betas_zero_snr", "variance_type"],
            THRESHOLDING,
            CLIP_SAMPLE,
        ],
        prediction_types: PredictionType::NAMED,
        trained: Trained::DDPM,
        timestep_spacing: Spacing::Leading,
        clip: Clip::Fixed(1.0),
        grid: GridFamily::Timesteps,
        default_steps: DefaultSteps::Every,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: None,
            variance: true,
            timesteps: true,
            thresholding: true,
            inversion: false,
            filling: Some(Back::ToWhereItWas),
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        // null, which the files of DPM-Solver have, is none of the names, and what diffusers is left with is the small one.
        if !fields.is_null("variance_type") {
            config.variance_type =
                choose!(fields, "variance_type", config.variance_type, VarianceType)?;
        }
        config.clip = match thresholding(fields)? {
            Some(dynamic) => dynamic,
            None => clip_sample(fields, true)?,
        };
        Ok(Self)
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let variance = request.variance.unwrap_or(config.variance_type);
        if variance.is_learned() && !request.learned_variance {
            return Err(ScheduleError::Request(format!(
                "variance_type {} needs a network with twice as many output as input channels",
                variance.name()
            )));
        }
        let left_aside = request.learned_variance && !variance.is_learned();
        let timesteps = match &request.timesteps {
            Some(list) => given(config, list)?,
            None => visited(config, request.steps)?,
        };
        let alphas = alphas_cumprod(schedule, &timesteps)?;
        check_skip(request.skip, timesteps.len())?;
        let steps: Vec<Step> = (request.skip..timesteps.len())
            .map(|i| {
                let next = alphas.get(i + 1).copied().unwrap_or(1.0);
                step(config, variance, timesteps[i], alphas[i], next)
            })
            .collect();
        let mut warnings = Vec::new();
        if request.timesteps.is_none() {
            warnings.extend(left_out(config, config.num_train_timesteps, request.steps));
        }
        if left_aside {
            warnings.push(format!(
                "the network's output has a second half of channels, for a learned variance, and variance_type is {}: that half \
                 is left aside; diffusers 0.42.1 ends in an error there",
                variance.name()
            ));
        }
        if variance == VarianceType::FixedLargeLog && steps.iter().any(Step::draws_noise) {
            warnings.push(
                "variance fixed_large_log: diffusers 0.42.1 takes the root of a negative logarithm, so that its picture is \
                 NaN from the first noisy step on; here it is fixed_large"
                    .into(),
            );
        }
        Ok(Sampling {
            warnings,
            ..preserving(steps, &alphas[request.skip..])
        })
    }
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
    let (x0, _) = predictions(config.prediction_type, signal, sigma, config.clip);
    let mut step = Step {
        timestep: t as f64,
        input_scale: 1.0,
        x0,
        clip: config.clip,
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
    step.draws = true;
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
