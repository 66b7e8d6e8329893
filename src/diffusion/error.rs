//! What can be wrong with a scheduler's configuration or with what is asked of it.

use super::solvers::SolverName;

/// Each message is a sentence for the person who wrote the file or the flag.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    #[error("the scheduler configuration is not a JSON object: {0}")]
    Json(String),
    #[error(
        "the scheduler configuration has no _class_name; name a sampler (one of {})",
        SolverName::names()
    )]
    NoClass,
    #[error(
        "the scheduler class {0} is not supported; name a sampler to use instead (one of {names})",
        names = SolverName::names()
    )]
    Class(String),
    #[error(
        "the scheduler field {field} is {value}, which is not supported: it must be {expected}"
    )]
    Field {
        field: &'static str,
        value: String,
        expected: String,
    },
    #[error("no scheduler has a field named {0}")]
    Unknown(String),
    #[error("beta at timestep {timestep} is {beta}; every beta must lie in 0 to 1")]
    Beta { timestep: usize, beta: f64 },
    #[error("{0}")]
    Request(String),
    /// A coefficient of a chain is no number; what would mend it is still to be said.
    #[error("{0}")]
    Undefined(String),
}
