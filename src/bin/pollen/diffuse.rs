//! `pollen diffuse IMAGE`: the forward chain as a filmstrip.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, imageops::FilterType};
use pollen::diffusion::schedule::{BetaSchedule, Schedule};
use pollen::engine::{Device, ForwardChain};

use crate::files::{self, Output};

#[derive(Args)]
pub struct Diffuse {
    /// PNG, JPEG, WebP, GIF or BMP.
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
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Pictures in the strip, at equal distances from t = 0 to T.
    #[arg(long, default_value_t = 10)]
    frames: usize,
    /// The strip.
    #[arg(long)]
    output: PathBuf,
}

/// The largest picture that is decoded.
const MAX_PIXELS: u64 = 100_000_000;

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
        let (x0, c) = load(&self.image, self.size)?;
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

/// A picture, upright, over white, its middle square resized to `size`: `[C,size,size]` in [−1, 1], C = 1 for a grey
/// picture and 3 for any other.
fn load(path: &Path, size: usize) -> anyhow::Result<(Vec<f32>, usize)> {
    let shown = path.display();
    let mut reader = ImageReader::open(path)
        .with_context(|| shown.to_string())?
        .with_guessed_format()
        .with_context(|| shown.to_string())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 << 30);
    reader.limits(limits);
    let unreadable =
        |e: image::ImageError| anyhow::anyhow!("{shown} is no picture that can be read ({e})");
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (w, h) = decoder.dimensions();
    if u64::from(w) * u64::from(h) > MAX_PIXELS {
        bail!("{shown} has {w}×{h} pixels, more than 100 million; make it smaller first");
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    let side = picture.width().min(picture.height());
    let (x, y) = ((picture.width() - side) / 2, (picture.height() - side) / 2);
    let square = picture.crop_imm(x, y, side, side);
    let channels = if picture.color().has_color() { 3 } else { 1 };
    let mut rgba = square.to_rgba32f();
    for pixel in rgba.pixels_mut() {
        let alpha = pixel.0[3];
        pixel
            .0
            .iter_mut()
            .take(3)
            .for_each(|v| *v = *v * alpha + 1.0 - alpha);
        pixel.0[3] = 1.0;
    }
    let filter = if side as usize > size {
        FilterType::Lanczos3
    } else {
        FilterType::CatmullRom
    };
    let resized = image::imageops::resize(&rgba, size as u32, size as u32, filter);
    let plane = |channel: usize| {
        resized
            .pixels()
            .map(move |p| p.0[channel].clamp(0.0, 1.0) * 2.0 - 1.0)
    };
    Ok(((0..channels).flat_map(plane).collect(), channels))
}
