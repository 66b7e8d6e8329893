//! Networks, chains and pictures against what PyTorch and diffusers give.

#[path = "../support/mod.rs"]
mod support;

mod chains;
mod digits;
mod fill;
mod ideal_denoiser;
mod inside;
mod inversion;
mod likelihood;
mod limits;
mod networks;
mod pipelines;
mod timing;
mod tiny_unet;
