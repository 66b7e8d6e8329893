//! What makes a chain of a configuration whose own chain has no finite coefficients: each thing is tried before it is advised.

use super::{SamplingRequest, SolverName, check_taken, finite};
use crate::diffusion::choices::Spacing;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::step::Clip;

/// The end of a sentence on `config`.
pub(super) fn of(config: &SchedulerConfig, request: &SamplingRequest) -> String {
    let mut advice = String::new();
    let mut other = config.clone();
    let mut attempt = |other: &SchedulerConfig, what: [&str; 3]| {
        if check_taken(other.solver(), request).is_ok() && finite(other, request).is_ok() {
            advice += if advice.is_empty() { "" } else { " or " };
            advice += &what.concat();
        }
    };
    for (name, spacing) in Spacing::NAMED {
        other.timestep_spacing = *spacing;
        attempt(&other, ["timestep_spacing ", name, ""]);
    }
    other.timestep_spacing = config.timestep_spacing;
    other.clip = Clip::Fixed(1.0);
    // The networks of consistency models want their own.
    for solver in [SolverName::Ddpm, SolverName::Ddim] {
        if config.solver() != SolverName::Consistency {
            other.settings = solver.settings();
            let with = " with clip_sample true";
            attempt(&other, ["sampler ", solver.name(), with]);
        }
    }
    match &advice[..] {
        "" => "no timestep_spacing and no sampler makes a chain of it".into(),
        advice => [advice, " makes a chain of it"].concat(),
    }
}
