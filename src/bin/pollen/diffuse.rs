//! `pollen diffuse IMAGE`: the forward chain as a filmstrip.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use pollen::diffusion::schedule::{BetaSchedule, Schedule};
use pollen::engine::{Device, ForwardChain};

use crate::files::{self, Output};
use crate::{picture, seed};

#[derive(Args)]
pub struct Diffuse {
    /// PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF.
    image: PathBuf,
    /// Side of the square that the picture is cropped and resized to, in pixels.
    #[arg(long)]
    size: usize,
    /// T.
    #[arg(long)]
    steps: usize,
    /// linear, geometric, cosine, sigmoid or scaled_linear.
    #[arg(long, default_value = "linear")]
    schedule: String,
    /// β_1.
    #[arg(long, default_value_t = 1e-4)]
    beta_start: f64,
    /// β_T.
    #[arg(long, default_value_t = 0.02)]
    beta_end: f64,
    /// Seeds PyTorch's CPU generator.
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// Pictures in the strip, at equal distances from t = 0 to T.
    #[arg(long, default_value_t = 10)]
    frames: usize,
    /// Take a damaged picture as it is: what comes before the damage.
    #[arg(long)]
    damaged: bool,
    /// The strip.
    #[arg(long)]
    output: PathBuf,
}

impl Diffuse {
    pub async fn run(&self, device: &Device) -> anyhow::Result<()> {
        files::writable(&self.output)?;
        if !(1..=2048).contains(&self.size) {
            bail!("--size {} is outside 1 to 2048", self.size);
        }
        if self.frames == 0 || self.frames > self.steps + 1 {
            bail!(
                "--frames {} is outside 1 to {} (T + 1)",
                self.frames,
                self.steps + 1
            );
        }
        let kind = BetaSchedule::from_name(&self.schedule)
            .with_context(|| format!("--schedule {} is not known; linear, geometric, cosine, sigmoid and scaled_linear are", self.schedule))?;
        let schedule = Schedule::new(kind, self.beta_start, self.beta_end, self.steps)?;
        let picture = picture(&self.image, self.damaged)?;
        let c = picture.channels();
        let fitted = picture.fit((self.size, self.size), c);
        let x0: Vec<f32> = fitted.into_iter().map(|v| v * 2.0 - 1.0).collect();
        let image = (c, self.size, self.size);
        let mut chain = ForwardChain::new(device, &x0, image, schedule, self.seed).await?;
        let shown = |i: usize| match self.frames {
            1 => self.steps,
            frames => (i * self.steps + (frames - 1) / 2) / (frames - 1),
        };
        let mut strip = Vec::with_capacity(self.frames * x0.len());
        for i in 0..self.frames {
            while chain.t() < shown(i) {
                chain.step(false).await?;
            }
            strip.extend(chain.sample().await?);
        }
        let bytes = files::grid_png(&strip, (self.frames, c, self.size, self.size), self.frames)?;
        files::write(vec![Output {
            path: self.output.clone(),
            bytes,
        }])
    }
}
