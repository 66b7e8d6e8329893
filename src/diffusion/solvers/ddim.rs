//! Denoising diffusion implicit models (Song et al. 2021, eq. 12 and 16).
//!
//! The direction to x_t uses the ε̂ of the unclipped prediction. Without noise the chain is an ODE's and can be walked the other
//! way, from a picture to the noise that leads to it: inversion, as diffusers' `DDIMInverseScheduler` has it.

use super::clipping::{CLIP_SAMPLE, THRESHOLDING, clip_sample, thresholding};
use super::spaces::{check_skip, predictions, preserving};
use super::{
    About, DefaultSteps, End, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Takes,
    Trained,
};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::fill::Back;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{Clip, Row, Step};
use crate::diffusion::timesteps::{alphas_cumprod, left_out, visited};
use crate::json::number;

/// DDIM's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Ddim {
    /// The last step ends at ᾱ = 1, not at ᾱ_1.
    pub set_alpha_to_one: bool,
}

impl Default for Ddim {
    fn default() -> Self {
        Self {
            set_alpha_to_one: true,
        }
    }
}

impl Solver for Ddim {
    const ABOUT: About = About {
        name: "ddim",
        title: "DDIM",
        class: "DDIMScheduler",
        near: &[
            "DDIMParallelScheduler",
            "DDIMInverseScheduler",
            "PNDMScheduler",
        ],
        fields: &[
            &["rescale_betas_zero_snr", "set_alpha_to_one"],
            THRESHOLDING,
            CLIP_SAMPLE,
        ],
        prediction_types: PredictionType::NAMED,
        trained: Trained::DDPM,
        timestep_spacing: Spacing::Leading,
        clip: Clip::Fixed(1.0),
        grid: GridFamily::Timesteps,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: Some(0.0),
            variance: false,
            timesteps: false,
            thresholding: true,
            inversion: true,
            filling: Some(Back::AsDiffusers),
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        config.rescale_betas_zero_snr = fields.flag("rescale_betas_zero_snr", false)?;
        config.clip = match thresholding(fields)? {
            Some(dynamic) => dynamic,
            None => clip_sample(fields, true)?,
        };
        Ok(Self {
            set_alpha_to_one: fields.flag("set_alpha_to_one", true)?,
        })
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let timesteps = visited(config, request.steps)?;
        let alphas = alphas_cumprod(schedule, &timesteps)?;
        check_skip(request.skip, timesteps.len())?;
        // As in diffusers, the next timestep is a fixed stride away, whatever the list holds.
        let stride = (config.num_train_timesteps / request.steps) as i64;
        let table = schedule.alphas_cumprod();
        let last = if self.set_alpha_to_one { 1.0 } else { table[0] };
        let eta = request.eta(&Self::ABOUT) as f32;
        let next = |t: i64| usize::try_from(t - stride).map_or(last, |next| table[next]);
        if request.invert {
            if eta != 0.0 {
                return Err(ScheduleError::Request(format!(
                    "eta is {}; an inversion draws no noise, leave eta out",
                    number(f64::from(eta))
                )));
            }
            let rising = || timesteps.iter().zip(&alphas).rev().skip(request.skip);
            let levels: Vec<f32> = rising().map(|(&t, _)| next(t)).collect();
            let steps = rising().map(|(&t, &alpha_bar)| step(config, t, next(t), alpha_bar, 0.0));
            return Ok(inversion(
                steps.collect(),
                &levels,
                stride,
                (timesteps[0], alphas[0]),
            ));
        }
        let visited = || timesteps.iter().zip(&alphas).skip(request.skip);
        let steps = visited().map(|(&t, &alpha_bar)| step(config, t, alpha_bar, next(t), eta));
        let mut warnings: Vec<String> = left_out(config, config.num_train_timesteps, request.steps)
            .into_iter()
            .collect();
        if eta > 1.0 {
            warnings.push(format!(
                "eta is {}: above 1 the chain is noisier than DDPM's",
                number(f64::from(eta))
            ));
        }
        if let Some((t, _)) =
            visited().find(|(t, alpha_bar)| room(**alpha_bar, next(**t), eta) < 0.0)
        {
            warnings.push(format!(
                "at timestep {t} the noise of eta {eta} is more than the next noise level has room for: diffusers 0.42.1 takes \
                 the root of a negative number there and its picture is NaN; here nothing is left of the direction to x_t"
            ));
        }
        Ok(Sampling {
            warnings,
            ..preserving(steps.collect(), &alphas[request.skip..])
        })
    }
}

/// The chain of `steps` from the noise levels ᾱ of `levels` up to `last`, a timestep and its ᾱ. Each step asks the network about
/// the timestep that it leads to, which lies `stride` above where it begins.
fn inversion(steps: Vec<Step>, levels: &[f32], stride: i64, last: (i64, f32)) -> Sampling {
    let begins = |step: &Step| (step.timestep - stride as f64 + 1.0).max(0.0);
    Sampling {
        t: steps.iter().map(begins).collect(),
        end: End {
            t: last.0 as f64 + 1.0,
            alpha_bar: last.1.into(),
        },
        ..preserving(steps, levels)
    }
}

/// The standard deviation of a step's noise.
fn std(alpha_bar: f32, alpha_bar_next: f32, eta: f32) -> f32 {
    eta * variance(alpha_bar, alpha_bar_next).sqrt()
}

/// The variance that the noise of a step leaves to the direction to x_t.
fn room(alpha_bar: f32, alpha_bar_next: f32, eta: f32) -> f32 {
    let std = std(alpha_bar, alpha_bar_next, eta);
    1.0 - alpha_bar_next - std * std
}

fn step(config: &SchedulerConfig, t: i64, alpha_bar: f32, alpha_bar_next: f32, eta: f32) -> Step {
    let noise_level = 1.0 - alpha_bar;
    let std = std(alpha_bar, alpha_bar_next, eta);
    let direction = room(alpha_bar, alpha_bar_next, eta).max(0.0).sqrt();
    let (signal, sigma) = (f64::from(alpha_bar.sqrt()), f64::from(noise_level.sqrt()));
    let (x0, epsilon) = predictions(config.prediction_type, signal, sigma, config.clip);
    Step {
        timestep: t as f64,
        input_scale: 1.0,
        x0,
        clip: config.clip,
        next: f64::from(alpha_bar_next.sqrt()) * Row::X0
            + f64::from(direction) * epsilon
            + f64::from(std) * Row::NOISE,
        draws: eta > 0.0,
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
    use crate::diffusion::solvers::SolverName;

    #[test]
    fn variance_at_known_points() {
        let schedule = SchedulerConfig::new(SolverName::Ddim).schedule().unwrap();
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
