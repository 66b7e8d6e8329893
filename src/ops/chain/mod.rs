//! A chain's share of a step: the solver's linear combinations, dynamic thresholding, and the canvas's bytes.

pub mod drawing;
pub mod pack_rgba;
pub mod solver_step;
pub mod threshold;

pub use drawing::Drawing;
pub use pack_rgba::PackRgba;
pub use solver_step::SolverStep;
pub use threshold::Threshold;
