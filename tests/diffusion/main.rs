//! The mathematics against closed forms and diffusers.

mod bound;
mod config;
mod fixtures;
mod likelihood;
mod solvers;
mod steps;
