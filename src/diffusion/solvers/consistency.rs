//! One-step and multistep sampling of consistency models (Song et al. 2023, algorithm 1), over σ in steps as Karras et al.
//! (2022, eq. 5) space them.

use super::spaces::check_skip;
use super::{
    About, DefaultSteps, End, Evaluations, GridFamily, Sampling, SamplingRequest, Solver, Start,
    Takes, Trained,
};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fields::Fields;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{Clip, Prediction, Row, Step};
use crate::diffusion::timesteps::given;
use crate::json::number;

/// The settings of a consistency model.
#[derive(Clone, Debug, PartialEq)]
pub struct Consistency {
    pub sigma_min: f64,
    pub sigma_max: f64,
    /// The standard deviation of the data.
    pub sigma_data: f64,
    /// The fresh noise is multiplied by this.
    pub s_noise: f64,
    /// σ^(1/ρ) falls in equal steps.
    pub rho: f64,
}

impl Default for Consistency {
    fn default() -> Self {
        Self {
            sigma_min: 0.002,
            sigma_max: 80.0,
            sigma_data: 0.5,
            s_noise: 1.0,
            rho: 7.0,
        }
    }
}

impl Solver for Consistency {
    const ABOUT: About = About {
        name: "consistency",
        title: "Consistency",
        class: "CMStochasticIterativeScheduler",
        near: &[],
        fields: &[&[
            "sigma_min",
            "sigma_max",
            "sigma_data",
            "s_noise",
            "rho",
            "clip_denoised",
        ]],
        prediction_types: PredictionType::NAMED,
        trained: Trained {
            timesteps: 40,
            ..Trained::DDPM
        },
        timestep_spacing: Spacing::Leading,
        clip: Clip::Fixed(1.0),
        grid: GridFamily::Sigmas,
        default_steps: DefaultSteps::Few,
        evaluations: Evaluations { each: 1, last: 1 },
        takes: Takes {
            eta: None,
            variance: false,
            timesteps: true,
            thresholding: false,
            inversion: false,
            filling: None,
        },
    };

    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError> {
        let own = Self::default();
        let positive = |field, default| Ok(fields.positive(field)?.unwrap_or(default));
        config.clip = match fields.flag("clip_denoised", true)? {
            true => Clip::Fixed(1.0),
            false => Clip::None,
        };
        let sigma_min = positive("sigma_min", own.sigma_min)?;
        let sigma_max = positive("sigma_max", own.sigma_max)?;
        if sigma_max <= sigma_min {
            return Err(fields.wrong(
                "sigma_max",
                &format!("a number above sigma_min, {}", number(sigma_min)),
            ));
        }
        Ok(Self {
            sigma_min,
            sigma_max,
            sigma_data: positive("sigma_data", own.sigma_data)?,
            s_noise: fields.number("s_noise", own.s_noise)?,
            rho: positive("rho", own.rho)?,
        })
    }

    fn chain(
        &self,
        config: &SchedulerConfig,
        _: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError> {
        let indices = indices(config, request)?;
        check_skip(request.skip, indices.len())?;
        let total = config.num_train_timesteps;
        if total < 2 {
            return Err(ScheduleError::Request(
                "a consistency model's scheduler spaces its sigmas by num_train_timesteps, which must be at least 2".into(),
            ));
        }
        let last = (total - 1) as f64;
        let sigmas: Vec<f64> = indices
            .iter()
            .map(|&i| self.sigma(i as f64 / last))
            .collect();
        let levels = &sigmas[request.skip..];
        let multistep = sigmas.len() > 1;
        let steps = levels.iter().enumerate().map(|(i, &sigma)| {
            let next = levels.get(i + 1).copied().unwrap_or(self.sigma_min);
            self.step(config, sigma, next, multistep)
        });
        Ok(Sampling {
            steps: steps.collect(),
            t: indices[request.skip..]
                .iter()
                .map(|&i| (total as i64 - i) as f64)
                .collect(),
            alpha_bar: levels
                .iter()
                .map(|sigma| 1.0 / (1.0 + sigma * sigma))
                .collect(),
            init_noise_sigma: self.sigma_max,
            start: Start {
                image: 1.0,
                noise: levels[0],
            },
            end: End::PICTURE,
            warnings: match self.has_no_root() {
                true => vec![format!(
                    "with sigma_min {} diffusers 0.42.1 takes the root of a rounding error below 0 in the last step and its picture \
                     is NaN; here nothing is added",
                    self.sigma_min
                )],
                false => Vec::new(),
            },
        })
    }
}

/// Where the steps lie among the σ of training, 0 the greatest.
fn indices(config: &SchedulerConfig, request: &SamplingRequest) -> Result<Vec<i64>, ScheduleError> {
    let (total, steps) = (config.num_train_timesteps, request.steps);
    let mut indices = match &request.timesteps {
        Some(list) => given(config, list)?,
        None if steps > total => {
            return Err(ScheduleError::Request(format!(
                "{} takes at most as many steps as the network was trained on, {total}; {steps} were asked for",
                config.solver().name()
            )));
        }
        None => (0..steps)
            .rev()
            .map(|i| (i * (total / steps)) as i64)
            .collect(),
    };
    // diffusers lists them falling and takes them from the end.
    indices.reverse();
    Ok(indices)
}

impl Consistency {
    /// σ at `ramp`, 0 at the greatest and 1 at the least.
    fn sigma(&self, ramp: f64) -> f64 {
        let root = |sigma| libm::pow(sigma, 1.0 / self.rho);
        let (from, to) = (root(self.sigma_max), root(self.sigma_min));
        libm::pow(from + ramp * (to - from), self.rho)
    }

    /// Whether σ² − σ_min² of the last step, which is 0, is below 0 in single precision.
    fn has_no_root(&self) -> bool {
        let single = self.sigma_min as f32;
        single * single < (self.sigma_min * self.sigma_min) as f32
    }

    /// x0 of x at `sigma`, noised again to `next` where the chain is `multistep`.
    fn step(&self, config: &SchedulerConfig, sigma: f64, next: f64, multistep: bool) -> Step {
        let data = self.sigma_data;
        let timestep = 250.0 * libm::log(sigma);
        // In single precision from here on, as in diffusers.
        let sigma = f64::from(sigma as f32);
        let above = sigma - self.sigma_min;
        let scale = 1.0 / (sigma * sigma + data * data).sqrt();
        let next = next.clamp(self.sigma_min, self.sigma_max);
        let fresh = (next * next - self.sigma_min * self.sigma_min)
            .max(0.0)
            .sqrt();
        Step {
            timestep,
            input_scale: scale,
            // c_skip and c_out of appendix C: at the least σ the student's x0 is x itself.
            x0: Prediction {
                x: data * data / (above * above + data * data),
                model: above * data * scale,
            },
            clip: config.clip,
            next: match multistep {
                true => Row::X0 + self.s_noise * fresh * Row::NOISE,
                false => Row::X0,
            },
            draws: multistep,
            ..Step::default()
        }
    }
}
