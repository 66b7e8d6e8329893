//! (diffusion)
