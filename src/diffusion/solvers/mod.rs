//! The reverse chain: every solver as a list of steps, known before the first is taken.
//!
//! Where diffusers computes a coefficient in single precision and the rounding is visible in the picture (a difference
//! of nearly equal numbers, such as 1 − ᾱ_t/ᾱ_{t−1}), so does this module; everything else is f64.

mod ddim;
mod ddpm;
mod dpmpp_2m;
mod euler;
mod euler_ancestral;
mod heun;
mod unipc;

use super::choices::{PredictionType, Sampler, VarianceType};
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::schedule::MAX_TIMESTEPS;
use super::sigmas::Grid;
use super::step::{Bound, HISTORY, Prediction, Row, Step};

/// What is asked of a solver beside its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingRequest {
    /// Steps of the chain, at least 1; Heun evaluates the network twice in all but the last.
    pub steps: usize,
    /// DDIM's η, 0 (deterministic) to 1 (as noisy as DDPM).
    pub eta: f64,
    /// DDPM's variance, where it is not the configuration's.
    pub variance: Option<VarianceType>,
    /// DDPM: the timesteps to visit, falling, each 0…T−1, in place of `steps`.
    pub timesteps: Option<Vec<i64>>,
    /// The network's output has a second half of channels for the variance.
    pub learned_variance: bool,
    /// Leaves out this many steps at the beginning, for a chain that starts from a noised image ([`Sampling::start`]).
    pub skip: usize,
}

impl SamplingRequest {
    pub fn new(steps: usize) -> SamplingRequest {
        SamplingRequest {
            steps,
            eta: 0.0,
            variance: None,
            timesteps: None,
            learned_variance: false,
            skip: 0,
        }
    }
}

/// How a chain's first x is made of an image and unit noise: image·x0 + noise·z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub image: f64,
    pub noise: f64,
}

/// A whole chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    pub steps: Vec<Step>,
    /// ᾱ of what the network sees, step by step.
    pub alpha_bar: Vec<f64>,
    /// A chain from pure noise starts at this times unit noise.
    pub init_noise_sigma: f64,
    /// Where a chain from an image starts instead.
    pub start: Start,
}

/// The chain that `config` and `request` describe. Every coefficient in it is finite.
///
/// # Errors
/// If the request does not fit the configuration, or the configuration leaves a coefficient undefined.
pub fn solve(
    config: &SchedulerConfig,
    request: &SamplingRequest,
) -> Result<Sampling, ScheduleError> {
    let refuse = |sentence: String| Err(ScheduleError::Request(sentence));
    if !(1..=MAX_TIMESTEPS).contains(&request.steps) {
        return refuse(format!(
            "a chain has 1 to {MAX_TIMESTEPS} steps, {} were asked for",
            request.steps
        ));
    }
    if !(0.0..=1.0).contains(&request.eta) {
        return refuse(format!("eta is {}, it must lie in 0 to 1", request.eta));
    }
    if request.timesteps.is_some() && config.sampler != Sampler::Ddpm {
        return refuse(format!(
            "only ddpm takes a list of timesteps, the sampler is {}",
            config.sampler.name()
        ));
    }
    let schedule = config.schedule()?;
    let sampling = match config.sampler {
        Sampler::Ddpm => ddpm::chain(config, &schedule, request)?,
        Sampler::Ddim => ddim::chain(config, &schedule, request)?,
        sampler => {
            let grid = Grid::new(config, &schedule, request.steps)?;
            check_skip(request.skip, grid.timesteps.len())?;
            let steps = match sampler {
                Sampler::DpmPp2m => dpmpp_2m::steps(config, &grid, request.skip),
                Sampler::UniPc => unipc::steps(config, &grid, request.skip),
                Sampler::EulerAncestral => euler_ancestral::steps(config, &grid, request.skip),
                Sampler::Heun => heun::steps(config, &grid, request.skip),
                _ => euler::steps(config, &grid, request.skip),
            };
            let sigma = grid.sigmas[request.skip];
            let init_noise_sigma = grid.init_noise_sigma(config);
            if matches!(sampler, Sampler::DpmPp2m | Sampler::UniPc) {
                let levels = &grid.sigmas[request.skip..grid.timesteps.len()];
                let alpha_bar = levels.iter().map(|&sigma| signal(sigma).powi(2)).collect();
                let start = Start {
                    image: signal(sigma),
                    noise: sigma * signal(sigma),
                };
                Sampling {
                    steps,
                    alpha_bar,
                    init_noise_sigma,
                    start,
                }
            } else {
                let alpha_bar = steps.iter().map(|step| step.input_scale.powi(2)).collect();
                let start = Start {
                    image: 1.0,
                    noise: sigma,
                };
                Sampling {
                    steps,
                    alpha_bar,
                    init_noise_sigma,
                    start,
                }
            }
        }
    };
    match sampling.steps.iter().find(|step| !step.is_finite()) {
        None => Ok(sampling),
        Some(step) => refuse(format!(
            "the step at timestep {} has no finite coefficients: the schedule leaves no signal or no noise there; use \
             prediction_type v_prediction or sample, clip_sample, or another timestep_spacing",
            step.timestep
        )),
    }
}

fn check_skip(skip: usize, steps: usize) -> Result<(), ScheduleError> {
    if skip < steps {
        return Ok(());
    }
    Err(ScheduleError::Request(format!(
        "the chain has {steps} steps, leaving out {skip} leaves none"
    )))
}

/// A chain of DDPM or DDIM, whose x is √ᾱ·x0 + √(1 − ᾱ)·ε at every step; not empty.
fn preserving(steps: Vec<Step>, alphas: &[f32]) -> Sampling {
    let first = f64::from(alphas[0]);
    Sampling {
        steps,
        alpha_bar: alphas.iter().copied().map(f64::from).collect(),
        init_noise_sigma: 1.0,
        start: Start {
            image: first.sqrt(),
            noise: (1.0 - first).sqrt(),
        },
    }
}

/// √ᾱ of a σ.
fn signal(sigma: f64) -> f64 {
    1.0 / (sigma * sigma + 1.0).sqrt()
}

/// x̂0 and ε̂ from the model's output at x_t = alpha·x0 + sigma·ε, alpha² + sigma² = 1.
///
/// At alpha = 0 an ε says nothing of x0 but its sign, which is all that is left after bounding: a large finite slope
/// stands for the infinite one.
pub(crate) fn predictions(
    kind: PredictionType,
    alpha: f64,
    sigma: f64,
    bound: Bound,
) -> (Prediction, Row) {
    const STEEP: f64 = 1e20;
    match kind {
        PredictionType::Epsilon => {
            let slope = if alpha == 0.0 && bound != Bound::None {
                STEEP
            } else {
                1.0 / alpha
            };
            (
                Prediction {
                    x: slope,
                    model: -sigma * slope,
                },
                Row::MODEL,
            )
        }
        PredictionType::Sample => {
            let epsilon = if sigma == 0.0 {
                Row::ZERO
            } else {
                1.0 / sigma * (Row::X - alpha * Row::MODEL)
            };
            (Prediction { x: 0.0, model: 1.0 }, epsilon)
        }
        PredictionType::Velocity => (
            Prediction {
                x: alpha,
                model: -sigma,
            },
            alpha * Row::MODEL + sigma * Row::X,
        ),
    }
}

/// x̂0 from the model's output at x_t = x0 + sigma·ε, the model having seen x_t/√(sigma² + 1).
fn prediction_exploding(kind: PredictionType, sigma: f64) -> Prediction {
    match kind {
        PredictionType::Epsilon => Prediction {
            x: 1.0,
            model: -sigma,
        },
        PredictionType::Sample => Prediction { x: 0.0, model: 1.0 },
        PredictionType::Velocity => {
            let alpha = signal(sigma);
            Prediction {
                x: alpha * alpha,
                model: -sigma * alpha,
            }
        }
    }
}

/// A step in σ-space, with nothing said about where it goes.
fn exploding_step(config: &SchedulerConfig, timestep: f64, sigma: f64) -> Step {
    Step {
        timestep,
        input_scale: signal(sigma),
        x0: prediction_exploding(config.prediction_type, sigma),
        bound: config.bound,
        ..Step::default()
    }
}

/// What no step follows need not be kept.
fn without_last_history(mut steps: Vec<Step>) -> Vec<Step> {
    if let Some(last) = steps.last_mut() {
        last.keep = [None; HISTORY];
    }
    steps
}
