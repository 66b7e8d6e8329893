//! Training a network: what is drawn for a step and what is asked of the network ([`objective`]), the numbers that a run
//! is made of ([`recipe`]), what a step computes ([`plans`]), the loop on the device ([`trainer`]), what a step says (`report`), and what brings it back after an interruption
//! ([`state`]). [`data`] are the pictures; the model that comes of it is a folder's `files`.

pub mod data;
mod files;
mod inspect;
pub mod objective;
pub mod plans;
pub mod recipe;
mod report;
pub mod state;
pub mod trainer;

pub use inspect::TrainingInspection;
pub use recipe::{Recipe, scheduler};
pub use report::{PendingReport, Report};
pub use trainer::Trainer;
