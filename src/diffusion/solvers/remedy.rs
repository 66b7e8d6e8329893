//! What makes a chain of a configuration whose own chain has no finite coefficients: each thing is tried before it is advised.

use super::{SamplingRequest, SolverName, check_taken, finite};
use crate::diffusion::choices::Spacing;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::step::Clip;

/// The end of a sentence on `config`.
pub(super) fn of(config: &SchedulerConfig, request: &SamplingRequest) -> String {
    if config.solver() == SolverName::Consistency {
        return "sigma_min, sigma_max, sigma_data, s_noise and rho must be others".into();
    }
    let spaced = Spacing::NAMED.iter().map(|(name, spacing)| {
        let spaced = SchedulerConfig {
            timestep_spacing: *spacing,
            ..config.clone()
        };
        (format!("timestep_spacing {name}"), spaced)
    });
    let clipped = [SolverName::Ddpm, SolverName::Ddim].map(|solver| {
        let clipped = SchedulerConfig {
            settings: solver.settings(),
            clip: Clip::Fixed(1.0),
            ..config.clone()
        };
        let name = solver.name();
        (format!("sampler {name} with clip_sample true"), clipped)
    });
    let works = |other: &SchedulerConfig| {
        check_taken(other.solver(), request).is_ok() && finite(other, request).is_ok()
    };
    let found: Vec<String> = spaced
        .chain(clipped)
        .filter(|(_, other)| works(other))
        .map(|(name, _)| name)
        .collect();
    match &found[..] {
        [] => "no timestep_spacing and no sampler makes a chain of these betas".into(),
        [found @ .., last] if !found.is_empty() => {
            format!("{} or {last} makes a chain of it", found.join(", "))
        }
        found => format!("{} makes a chain of it", found.concat()),
    }
}
