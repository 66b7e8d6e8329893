//! What is asked of a solver against what it takes.

use super::{SamplingRequest, SolverName, Takes};
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::fill::Back;

/// An error where `request` asks for an option that `solver` does not take.
pub(super) fn check_taken(
    solver: SolverName,
    request: &SamplingRequest,
) -> Result<(), ScheduleError> {
    type Taken = fn(&Takes) -> bool;
    let (eta, variance, timesteps): (Taken, Taken, Taken) =
        (|t| t.eta.is_some(), |t| t.variance, |t| t.timesteps);
    let (inversion, filling): (Taken, Taken) = (|t| t.inversion, |t| t.filling.is_some());
    let options = [
        (request.eta.is_some_and(|eta| eta != 0.0), "takes eta", eta),
        (request.variance.is_some(), "takes a variance", variance),
        (
            request.timesteps.is_some(),
            "takes a list of timesteps",
            timesteps,
        ),
        (request.invert, "inverts a picture", inversion),
        (request.fill.is_some(), "fills in by a mask", filling),
    ];
    for (asked, what, taken) in options {
        if asked && !taken(&solver.about().takes) {
            return Err(ScheduleError::Request(format!(
                "only {} {what}, the sampler is {}",
                SolverName::listed(" or ", |about| taken(&about.takes)),
                solver.name()
            )));
        }
    }
    Ok(())
}

/// What there is to say of a chain that fills in and goes back on its way.
pub(super) fn fill_warning(config: &SchedulerConfig, request: &SamplingRequest) -> Option<String> {
    let goes_back = request.fill.is_some_and(|fill| fill.times > 1);
    let as_diffusers = config.solver().about().takes.filling == Some(Back::AsDiffusers);
    let apart = config.num_train_timesteps >= 2 * request.steps;
    (goes_back && as_diffusers && apart).then(|| {
        "where it goes back the chain adds a little too much noise, as diffusers 0.42.1 does; ddpm does not".into()
    })
}
