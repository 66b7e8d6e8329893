//! Training a network: what is drawn for a step and what is asked of the network ([`objective`]), the numbers that a run
//! is made of ([`recipe`]), the loop on the device ([`trainer`]), and what brings it back after an interruption
//! ([`state`]). [`data`] are the pictures.

pub mod data;
pub mod objective;
pub mod recipe;
pub mod state;
pub mod trainer;

pub use recipe::Recipe;
pub use trainer::{Report, Trainer};
