//! The mathematics against closed forms and diffusers.

mod advice;
mod bound;
mod config;
mod deviations;
mod distilled;
mod fill;
mod fixtures;
mod likelihood;
mod opening;
mod precision;
mod solvers;
mod steps;
