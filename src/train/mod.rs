//! Training a network: the input and target of a step ([`objective`]), the settings of a run ([`recipe`]), what a step
//! computes ([`plans`]), the loop on the device ([`trainer`]), the loss and norm of a step (`report`), what a step costs
//! (`inspect`), what fits together (`suits`), and the checkpoint ([`checkpoint`]). [`data`] are the pictures; `export`
//! writes the model folder. No other code reads or writes these formats.

pub mod checkpoint;
pub mod data;
mod export;
mod inspect;
pub mod objective;
pub mod plans;
pub mod recipe;
mod report;
mod suits;
pub mod trainer;

pub use inspect::TrainingInspection;
pub use recipe::{Recipe, scheduler};
pub use report::{PendingReport, Report};
pub use suits::left_over;
pub use trainer::Trainer;
