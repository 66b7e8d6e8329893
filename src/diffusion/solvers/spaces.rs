//! What solvers share by the space their x lives in: variance preserving, x_t = √ᾱ·x0 + √(1 − ᾱ)·ε, or variance
//! exploding, x_t = x0 + σ·ε with σ = √((1 − ᾱ)/ᾱ).

use super::{End, Sampling, SolverName, Start};
use crate::diffusion::choices::{PredictionType, Spacing};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::sigmas::Grid;
use crate::diffusion::step::{Clip, HISTORY, Prediction, Row, Step};

pub(super) fn check_skip(skip: usize, steps: usize) -> Result<(), ScheduleError> {
    if skip < steps {
        return Ok(());
    }
    Err(ScheduleError::Request(format!(
        "the chain has {steps} steps, leaving out {skip} leaves none"
    )))
}

/// Where steps begin whose network counts timesteps from 0.
fn begins(steps: &[Step]) -> Vec<f64> {
    steps.iter().map(|step| step.timestep + 1.0).collect()
}

/// A variance-preserving chain that visits the timesteps of `alphas`, not empty.
pub(super) fn preserving(steps: Vec<Step>, alphas: &[f32]) -> Sampling {
    let first = f64::from(alphas[0]);
    Sampling {
        t: begins(&steps),
        steps,
        alpha_bar: alphas.iter().copied().map(f64::from).collect(),
        init_noise_sigma: 1.0,
        start: Start {
            image: first.sqrt(),
            noise: (1.0 - first).sqrt(),
        },
        end: End::PICTURE,
        warnings: Vec::new(),
    }
}

/// A variance-preserving chain over a grid of σ, of which `skip` steps, fewer than there are, are left out.
pub(super) fn preserving_grid(steps: Vec<Step>, grid: &Grid, skip: usize) -> Sampling {
    let sigma = grid.sigmas[skip];
    let levels = &grid.sigmas[skip..grid.timesteps.len()];
    Sampling {
        t: begins(&steps),
        steps,
        alpha_bar: levels.iter().map(|&sigma| signal(sigma).powi(2)).collect(),
        init_noise_sigma: 1.0,
        start: Start {
            image: signal(sigma),
            noise: sigma * signal(sigma),
        },
        end: End::PICTURE,
        warnings: warnings(grid, skip),
    }
}

/// A chain from a σ above this is computed [wide](Step::wide). The usual schedules reach 15 to 160.
const GREAT: f64 = 1024.0;

/// A variance-exploding chain over a grid of σ, of which `skip` steps, fewer than there are, are left out.
pub(super) fn exploding(
    config: &SchedulerConfig,
    mut steps: Vec<Step>,
    grid: &Grid,
    skip: usize,
) -> Sampling {
    let greatest = grid.sigmas.iter().copied().fold(0.0, f64::max);
    for step in &mut steps {
        step.wide = greatest > GREAT;
    }
    let mut warnings = warnings(grid, skip);
    let mut levels = grid.sigmas[skip..].windows(2);
    if let Some(rise) = levels.find(|pair| pair[1] > pair[0]) {
        warnings.push(format!(
            "the noise level rises from {:.0} to {:.0}, as it does in diffusers 0.42.1: with rescale_betas_zero_snr the \
             first level stands for infinity; fewer steps avoid it, and so do {}",
            rise[0],
            rise[1],
            SolverName::without_signal(" and ")
        ));
    }
    Sampling {
        alpha_bar: steps.iter().map(|step| step.input_scale.powi(2)).collect(),
        t: begins(&steps),
        steps,
        init_noise_sigma: match config.timestep_spacing {
            Spacing::Leading => (greatest * greatest + 1.0).sqrt(),
            Spacing::Linspace | Spacing::Trailing => greatest,
        },
        start: Start {
            image: 1.0,
            noise: grid.sigmas[skip],
        },
        end: End::PICTURE,
        warnings,
    }
}

/// What is to be said of a chain that leaves out the first `skip` steps.
fn warnings(grid: &Grid, skip: usize) -> Vec<String> {
    let mut warnings: Vec<String> = grid.left_out.iter().cloned().collect();
    if let [first, second, ..] = grid.timesteps[skip..]
        && first == second
    {
        warnings.push(format!(
            "the chain begins at timestep {first} twice: diffusers 0.42.1 begins with the second and ends in an error; \
             every step is done here"
        ));
    }
    warnings
}

/// A timestep after the first `skip` whose σ is that of the one before: a multistep solver divides by their distance.
pub(super) fn repeated(grid: &Grid, skip: usize) -> Option<f64> {
    let visited = grid.sigmas.iter().zip(&grid.timesteps).skip(skip);
    let mut pairs = visited.clone().zip(visited.skip(1));
    pairs.find_map(|((before, _), (sigma, t))| (before == sigma).then_some(*t))
}

/// The sentence on a multistep chain that visits the σ of timestep `t` twice.
pub(super) fn divides_by_zero(t: f64) -> String {
    format!(
        "timestep {t} comes twice: diffusers 0.42.1 divides by the distance of the two and its picture is NaN from there on; \
         here the order falls to 1 there; fewer steps avoid it"
    )
}

/// √ᾱ of a σ.
pub(super) fn signal(sigma: f64) -> f64 {
    1.0 / (sigma * sigma + 1.0).sqrt()
}

/// x̂0 and ε̂ from the model's output at x_t = alpha·x0 + sigma·ε, alpha² + sigma² = 1.
///
/// At alpha = 0 an ε determines nothing of x0 but its sign, which is all that is left after clipping: a large finite
/// slope stands for the infinite one.
pub(crate) fn predictions(
    kind: PredictionType,
    alpha: f64,
    sigma: f64,
    clip: Clip,
) -> (Prediction, Row) {
    const STEEP: f64 = 1e20;
    match kind {
        PredictionType::Epsilon => {
            let slope = if alpha == 0.0 && clip != Clip::None {
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

/// x̂0 from the model's output at x_t = x0 + sigma·ε, the model's input being x_t/√(sigma² + 1).
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

/// A variance-exploding step whose [`Step::next`] is still to be filled in.
pub(super) fn exploding_step(config: &SchedulerConfig, timestep: f64, sigma: f64) -> Step {
    Step {
        timestep,
        input_scale: signal(sigma),
        x0: prediction_exploding(config.prediction_type, sigma),
        clip: config.clip,
        ..Step::default()
    }
}

/// The steps, the last of which keeps no history: nothing follows that would read it.
pub(super) fn without_last_history(mut steps: Vec<Step>) -> Vec<Step> {
    if let Some(last) = steps.last_mut() {
        last.keep = [None; HISTORY];
    }
    steps
}
