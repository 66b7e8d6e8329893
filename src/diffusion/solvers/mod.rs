//! The reverse chain: every solver as a list of steps, known before the first is taken.
//!
//! Each file here owns all that is true of one solver: its [`About`], its settings and their fields, its coefficients. The
//! table below lists the files; whatever names, counts or describes solvers elsewhere asks it.
//!
//! Where diffusers computes a coefficient in single precision and the rounding is visible in the picture (a difference
//! of nearly equal numbers, such as 1 − ᾱ_t/ᾱ_{t−1}), so does this module; everything else is f64.

mod clipping;
pub mod consistency;
pub mod ddim;
pub mod ddpm;
pub mod dpmpp_2m;
pub mod euler;
pub mod euler_ancestral;
pub mod heun;
pub mod lcm;
mod originals;
mod remedy;
mod spaces;
mod taken;
pub mod tcd;
pub mod unipc;

use super::choices::{PredictionType, Spacing, VarianceType};
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::fields::Fields;
use super::fill::{Back, Resampling};
use super::schedule::{BetaSchedule, MAX_TIMESTEPS, Schedule};
use super::step::{Clip, Step};
use crate::json::number;

pub(super) use spaces::predictions;
use taken::{check_taken, fill_warning};

/// A solver's names, its class's defaults, its options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct About {
    /// On the command line and in the page's API.
    pub name: &'static str,
    /// In sentences and lists for people.
    pub title: &'static str,
    /// The class in diffusers, whose defaults and fields the solver has.
    pub class: &'static str,
    /// Classes that no solver here has and whose files this one reads best; it is chosen in their place.
    pub near: &'static [&'static str],
    /// Fields of `scheduler_config.json` that the class reads beside [`SchedulerConfig::COMMON`].
    pub fields: &'static [&'static [&'static str]],
    /// Names that `prediction_type` may have.
    pub prediction_types: &'static [(&'static str, PredictionType)],
    pub trained: Trained,
    /// The class's own spacing.
    pub timestep_spacing: Spacing,
    /// What the class does with x̂0 by default.
    pub clip: Clip,
    pub grid: GridFamily,
    pub default_steps: DefaultSteps,
    pub evaluations: Evaluations,
    pub takes: Takes,
}

/// How a network was trained, where the file does not say it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// T
    pub timesteps: usize,
    pub beta_schedule: BetaSchedule,
    /// β_1 and β_T
    pub beta_ends: (f64, f64),
}

impl Trained {
    /// What most classes have, of Ho et al. 2020.
    pub const DDPM: Trained = Trained {
        timesteps: 1000,
        beta_schedule: BetaSchedule::Linear,
        beta_ends: (0.0001, 0.02),
    };
}

/// What the steps of a chain lie between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridFamily {
    /// Entries of the schedule's table.
    Timesteps,
    /// Noise levels σ, which may lie between those of the table and must be finite.
    Sigmas,
}

/// The number of steps where none is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultSteps {
    /// Every timestep, at most 1000.
    Every,
    /// 50, at most T.
    Few,
}

/// Evaluations of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluations {
    /// In every step but the last.
    pub each: usize,
    /// In the last step.
    pub last: usize,
}

/// Which options a solver takes; asking for another is an error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takes {
    /// [`SamplingRequest::eta`], and the class's own.
    pub eta: Option<f64>,
    /// [`SamplingRequest::variance`]
    pub variance: bool,
    /// [`SamplingRequest::timesteps`]
    pub timesteps: bool,
    /// Dynamic thresholding, by the configuration.
    pub thresholding: bool,
    /// [`SamplingRequest::invert`]
    pub inversion: bool,
    /// [`SamplingRequest::fill`], and by which noise it goes back.
    pub filling: Option<Back>,
}

/// A solver: the type holds the settings that are its own, at the class's defaults by `default()`.
pub(super) trait Solver: Default {
    const ABOUT: About;

    /// Its settings from `fields`; what is common to all is in `config` already, and [`SchedulerConfig::clip`] is set here.
    fn read(config: &mut SchedulerConfig, fields: &Fields) -> Result<Self, ScheduleError>;

    /// The most steps that these settings leave room for.
    fn most_steps(&self) -> usize {
        MAX_TIMESTEPS
    }

    /// The chain of `request`, which asks for nothing but what [`About::takes`] has.
    fn chain(
        &self,
        config: &SchedulerConfig,
        schedule: &Schedule,
        request: &SamplingRequest,
    ) -> Result<Sampling, ScheduleError>;
}

/// The table of solvers: a file, and the type in it.
macro_rules! solvers {
    ($($file:ident::$solver:ident),+ $(,)?) => {
        $(pub use $file::$solver;)+

        /// The solvers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SolverName { $($solver),+ }

        /// A solver with its settings.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Settings { $($solver($solver)),+ }

        impl SolverName {
            /// Every solver, in the table's order.
            pub const ALL: &'static [SolverName] = &[$(SolverName::$solver),+];

            /// Its names, its class's defaults, its options.
            pub fn about(self) -> &'static About {
                match self { $(SolverName::$solver => &$solver::ABOUT),+ }
            }

            /// The settings of `Class()`.
            pub(super) fn settings(self) -> Settings {
                match self { $(SolverName::$solver => Settings::$solver($solver::default())),+ }
            }

            pub(super) fn read(
                self,
                config: &mut SchedulerConfig,
                fields: &Fields,
            ) -> Result<Settings, ScheduleError> {
                match self { $(SolverName::$solver => $solver::read(config, fields).map(Settings::$solver)),+ }
            }
        }

        impl Settings {
            /// Whose settings they are.
            pub fn solver(&self) -> SolverName {
                match self { $(Settings::$solver(_) => SolverName::$solver),+ }
            }

            /// The most steps that they leave room for.
            pub(super) fn most_steps(&self) -> usize {
                match self { $(Settings::$solver(own) => own.most_steps()),+ }
            }

            fn chain(
                &self,
                config: &SchedulerConfig,
                schedule: &Schedule,
                request: &SamplingRequest,
            ) -> Result<Sampling, ScheduleError> {
                match self { $(Settings::$solver(own) => own.chain(config, schedule, request)),+ }
            }
        }
    };
}

solvers! {
    ddpm::Ddpm,
    ddim::Ddim,
    dpmpp_2m::DpmPp2m,
    unipc::UniPc,
    euler::Euler,
    euler_ancestral::EulerAncestral,
    heun::Heun,
    lcm::Lcm,
    tcd::Tcd,
    consistency::Consistency,
}

impl SolverName {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// The solver of that name.
    pub fn from_name(name: &str) -> Option<SolverName> {
        let mut all = SolverName::ALL.iter().copied();
        all.find(|solver| solver.name() == name)
    }

    /// The solver of a diffusers class.
    pub fn from_class(class: &str) -> Option<SolverName> {
        let mut all = SolverName::ALL.iter().copied();
        all.find(|solver| solver.about().class == class)
    }

    /// The solver that is chosen where a file names `class`, which none here has; `None` where networks for that class may
    /// want another chain than any here.
    pub fn near_class(class: &str) -> Option<SolverName> {
        let mut all = SolverName::ALL.iter().copied();
        all.find(|solver| solver.about().near.contains(&class))
    }

    /// The names of the solvers that `chosen` holds for, for a sentence: with `before_last` " or ", "a, b or c".
    pub fn listed(before_last: &str, chosen: impl Fn(&About) -> bool) -> String {
        let all = SolverName::ALL.iter().map(|solver| solver.about());
        let names: Vec<&str> = all
            .filter(|about| chosen(about))
            .map(|about| about.name)
            .collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => {
                [rest.join(", ").as_str(), before_last, last].concat()
            }
            _ => names.concat(),
        }
    }

    /// The solvers that, as their classes are, can begin where no signal is left: they visit timesteps and clip x̂0.
    pub(super) fn without_signal(before_last: &str) -> String {
        SolverName::listed(before_last, |about| {
            about.grid == GridFamily::Timesteps && about.clip != Clip::None
        })
    }

    /// All names, for a sentence.
    pub fn names() -> String {
        SolverName::listed(", ", |_| true)
    }
}

impl Evaluations {
    /// Of a chain of `steps` steps, at least 1.
    pub fn of(self, steps: usize) -> usize {
        self.each * (steps - 1) + self.last
    }
}

/// What is asked of a solver beside its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplingRequest {
    /// Steps of the chain, at least 1; Heun evaluates the network twice in all but the last.
    pub steps: usize,
    /// η in place of the class's own: 0 is deterministic, and all that a solver accepts which does not take it.
    pub eta: Option<f64>,
    /// The variance in place of the configuration's, for the solvers that take one.
    pub variance: Option<VarianceType>,
    /// The timesteps to visit, falling, each 0…T−1, in place of `steps`, for the solvers that take them. A consistency model's
    /// count from the noisiest, 0, and are taken from the end, as in diffusers.
    pub timesteps: Option<Vec<i64>>,
    /// The network's output has a second half of channels for the variance.
    pub learned_variance: bool,
    /// Leaves out this many steps at the beginning, for a chain that starts from a noised image ([`Sampling::start`]).
    pub skip: usize,
    /// The chain the other way round, from a picture to the noise that leads to it, for the solvers that take it.
    pub invert: bool,
    /// Where a part of the picture is known, how the chain goes back for the rest to agree with it, for the solvers that take it.
    pub fill: Option<Resampling>,
}

impl SamplingRequest {
    /// A chain of `steps` steps, all else as the configuration has it.
    pub fn new(steps: usize) -> SamplingRequest {
        SamplingRequest {
            steps,
            eta: None,
            variance: None,
            timesteps: None,
            learned_variance: false,
            skip: 0,
            invert: false,
            fill: None,
        }
    }

    /// Steps of the chain.
    pub(super) fn count(&self) -> usize {
        self.timesteps.as_ref().map_or(self.steps, Vec::len)
    }

    /// η as asked for, else as the solver has it.
    fn eta(&self, about: &About) -> f64 {
        self.eta.or(about.takes.eta).unwrap_or(0.0)
    }
}

/// How a chain's first x is made of an image and unit noise: image·x0 + noise·z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub image: f64,
    pub noise: f64,
}

/// Where a chain ends: t, 0…T, and ᾱ of x.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    pub t: f64,
    pub alpha_bar: f64,
}

impl End {
    /// A finished picture.
    pub const PICTURE: End = End {
        t: 0.0,
        alpha_bar: 1.0,
    };
}

/// A whole chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    pub steps: Vec<Step>,
    /// Where each step begins, 1…T, for people: the network's own input need not be a timestep.
    pub t: Vec<f64>,
    /// ᾱ of x, scaled to be variance preserving ([`Sampling::preserving_scale`]), step by step.
    pub alpha_bar: Vec<f64>,
    /// A chain from pure noise starts at this times unit noise.
    pub init_noise_sigma: f64,
    /// Where a chain from an image starts instead.
    pub start: Start,
    /// Where the last step ends.
    pub end: End,
    /// Sentences for the person who runs it: what the chain does that they may not expect, and where diffusers' picture is
    /// another one (`docs/deviations.md`).
    pub warnings: Vec<String>,
}

impl Sampling {
    /// What x before step `at` is multiplied by to be √ᾱ·x0 + √(1 − ᾱ)·ε.
    pub fn preserving_scale(&self, at: usize) -> f64 {
        match self.start.image {
            // A chain that starts from x0 + σ·ε keeps that form; an inversion starts from x0 alone.
            1.0 if self.start.noise > 0.0 => self.alpha_bar[at].sqrt(),
            _ => 1.0,
        }
    }
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
    if let Some(eta) = request.eta
        && !(eta >= 0.0 && eta.is_finite())
    {
        return refuse(format!(
            "eta is {}, it must be a number of at least 0",
            number(eta)
        ));
    }
    check_taken(config.solver(), request)?;
    if request.invert && request.fill.is_some() {
        return refuse("an inversion takes no mask".into());
    }
    match finite(config, request) {
        Err(ScheduleError::Undefined(why)) => {
            refuse(format!("{why}; {}", remedy::of(config, request)))
        }
        other => other,
    }
}

/// As [`solve`], for a request that has been checked, and without a word on what would mend coefficients that are not finite.
fn finite(config: &SchedulerConfig, request: &SamplingRequest) -> Result<Sampling, ScheduleError> {
    let mut chain = (config.settings).chain(config, &config.schedule()?, request)?;
    chain.warnings.extend(fill_warning(config, request));
    match chain.steps.iter().position(|step| !step.is_finite()) {
        None => Ok(chain),
        Some(at) => Err(ScheduleError::Undefined(format!(
            "step {} of {} has no finite coefficients: the schedule leaves no signal or no noise there",
            at + 1,
            chain.steps.len()
        ))),
    }
}
