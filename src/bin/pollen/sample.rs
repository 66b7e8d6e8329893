//! `pollen sample DIR`: the reverse chain.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::ArgPredicate;
use indicatif::{ProgressBar, ProgressStyle};
use pollen::diffusion::choices::VarianceType;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::fill::Resampling;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::diffusion::step::Clip;
use pollen::engine::{Network, Sampler, SamplerRequest};
use pollen::model::{Checkpoint, Labels};
use pollen::picture::Picture;
use safetensors::Dtype;
use serde_json::Map;

use crate::files::{self, Output, Tensors};
use crate::{On, picture, seed};

#[derive(Args)]
pub struct Sample {
    /// A model folder.
    dir: PathBuf,
    /// A scheduler_config.json in place of the model's own.
    #[arg(long)]
    scheduler: Option<PathBuf>,
    #[arg(long, help = format!("One of {}, reading the scheduler file as diffusers' from_config does", SolverName::names()))]
    sampler: Option<String>,
    #[arg(long, help = steps_help())]
    steps: Option<usize>,
    #[arg(long, value_delimiter = ',', conflicts_with = "steps", help = format!("The timesteps to visit, 0 to T-1, falling, in place of --steps, for {}; consistency counts from the noisiest", SolverName::listed(" and ", |about| about.takes.timesteps)))]
    timesteps: Option<Vec<i64>>,
    #[arg(long, allow_negative_numbers = true, help = eta_help())]
    eta: Option<f64>,
    #[arg(long, help = format!("Variance of {}, in place of the file's", SolverName::listed(" and ", |about| about.takes.variance)))]
    variance: Option<String>,
    #[arg(long, help = format!("Keep x̂0 within [−1, 1] by thresholding: {}", SolverName::listed(", ", |about| about.takes.thresholding && about.clip == Clip::None)))]
    clip: bool,
    /// Seeds PyTorch's CPU generator.
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// Pictures.
    #[arg(long, default_value_t = 1)]
    count: usize,
    /// A label or a class's name; without it, the label that means any.
    #[arg(long)]
    class: Option<String>,
    /// Classifier-free guidance; 1 is off.
    #[arg(long, default_value_t = 1.0)]
    guidance: f64,
    /// Under guidance, the class to lead away from in place of the label that means any.
    #[arg(long, value_name = "CLASS")]
    negative: Option<String>,
    /// A file with `noise` [N,C,H,W], unit normal, to start from.
    #[arg(long)]
    noise: Option<PathBuf>,
    /// A picture that the chain starts from, noised to where its first step begins; with --mask, one to be filled in.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "image", help = format!("Fill in --image (RePaint): a picture, white where --image stays, black where the chain makes the rest; for {}", SolverName::listed(" and ", |about| about.takes.filling.is_some())))]
    mask: Option<PathBuf>,
    /// With --mask, how many steps the chain goes back at a time.
    #[arg(
        long,
        requires = "mask",
        default_value_if("mask", ArgPredicate::IsPresent, "10")
    )]
    jump: Option<usize>,
    /// With --mask, how often it does those steps; 1 goes back nowhere.
    #[arg(
        long,
        requires = "mask",
        default_value_if("mask", ArgPredicate::IsPresent, "10")
    )]
    resample: Option<usize>,
    /// Steps left out at the beginning.
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: usize,
    /// Steps after which the chain ends; the tensor is x as it is then.
    #[arg(long, value_name = "N")]
    until: Option<usize>,
    #[arg(long, requires = "image", help = format!("From --image to the noise that leads to it: {}", SolverName::listed(" and ", |about| about.takes.inversion)))]
    invert: bool,
    /// Take a damaged --image or --mask as it is: what comes before the damage.
    #[arg(long)]
    damaged: bool,
    /// Width and height of a picture, as 64x48 or 64; by default the configuration's sample_size.
    #[arg(long, value_name = "WxH", value_parser = size)]
    size: Option<(usize, usize)>,
    /// The pictures in a grid.
    #[arg(long)]
    output: Option<PathBuf>,
    /// The final `sample` [K,C,H,W], before any conversion.
    #[arg(long)]
    tensor: Option<PathBuf>,
}

impl Sample {
    pub async fn run(&self, on: &On) -> anyhow::Result<()> {
        if self.output.is_none() && self.tensor.is_none() {
            bail!("there is nothing to write: give --output FILE.png or --tensor FILE.safetensors");
        }
        for path in self.output.iter().chain(&self.tensor) {
            files::writable(path)?;
        }
        let checkpoint = Checkpoint::open(&self.dir)?;
        let (scheduler, warnings) = self.scheduler(&checkpoint)?;
        let noise = match &self.noise {
            Some(path) => Some(Tensors::open(path)?.need("noise", &[Dtype::F32])?),
            None => None,
        };
        let named = |name: &Option<String>| {
            let name = name.as_ref();
            name.map(|name| label(name, checkpoint.labels.as_ref()))
                .transpose()
        };
        let (class, negative) = (named(&self.class)?, named(&self.negative)?);
        if !self.guidance.is_finite() {
            bail!("--guidance {} is no finite number", self.guidance);
        }
        let mut solver =
            SamplingRequest::new(self.steps.unwrap_or_else(|| scheduler.default_steps()));
        solver.eta = self.eta;
        solver.timesteps = self.timesteps.clone();
        if let Some(name) = &self.variance {
            solver.variance = Some(VarianceType::from_name(name).with_context(|| {
                let names: Vec<&str> = VarianceType::ALL.iter().map(|v| v.name()).collect();
                format!("--variance {name} is not one of {}", names.join(", "))
            })?);
        }
        solver.skip = self.skip;
        solver.invert = self.invert;
        solver.fill = match (self.jump, self.resample) {
            (Some(jump), Some(times)) => Some(Resampling { jump, times }),
            _ => None,
        };
        let opened = |path: &Option<PathBuf>| {
            let path = path.as_ref();
            path.map(|path| picture(path, self.damaged)).transpose()
        };
        let (image, mask) = (opened(&self.image)?, opened(&self.mask)?);
        let device = on.open().await?;
        // Refuses what the model cannot do before its weights are read.
        let of_noise = noise.as_ref().and_then(|n| match n.shape.as_slice() {
            &[_, _, h, w] => Some((h, w)),
            _ => None,
        });
        let size = self.size.or(of_noise);
        if size.is_none() && checkpoint.config.sample_size.is_none() {
            bail!(
                "{} has no sample_size in its config.json: name the size of a picture with --size WxH",
                self.dir.display()
            );
        }
        let (network, more) = Network::load(&device, &checkpoint, size, |_| {}).await?;
        warnings
            .iter()
            .chain(&more)
            .for_each(|warning| eprintln!("warning: {warning}"));
        let (c, h, w) = network.image();
        if let Some(noise) = &noise
            && noise.shape != [self.count, c, h, w]
        {
            bail!(
                "--noise has the shape {:?}, and [{}, {c}, {h}, {w}] is needed",
                noise.shape,
                self.count
            );
        }
        if image.is_some() && !(1..=4).contains(&c) {
            bail!("the model makes {c} channels, and --image has 1 or 3, or 2 or 4 with alpha");
        }
        let centred = |picture: Picture| -> Vec<f32> {
            let fitted = picture.fit((h, w), c).into_iter();
            fitted.map(|v| v * 2.0 - 1.0).collect()
        };
        let request = SamplerRequest {
            scheduler,
            solver,
            seed: self.seed,
            count: self.count,
            class,
            guidance: self.guidance,
            negative,
            noise: noise.map(|n| n.values),
            image: image.map(centred),
            mask: mask.map(|mask| mask.fit((h, w), 1)),
        };
        let mut sampler = Sampler::new(&network, &request).await?;
        for warning in sampler.warnings() {
            eprintln!("warning: {warning}");
        }
        let all = sampler.course().len();
        let until = self.until.unwrap_or(all);
        if !(1..=all).contains(&until) {
            bail!("--until {until} is outside 1 to {all}, the steps of the chain");
        }
        let bar = ProgressBar::new(until as u64).with_style(ProgressStyle::with_template(
            "{bar:40} {pos}/{len} steps, {eta} left",
        )?);
        while sampler.done() < until {
            sampler.step(false).await?;
            bar.inc(1);
        }
        let sample = sampler.sample().await?;
        bar.finish_and_clear();
        if let Some(bad) = sample.iter().find(|v| !v.is_finite()) {
            bail!("the chain ended in {bad}; the model or its scheduler does not fit the sampler");
        }
        let mut outputs = Vec::new();
        if let Some(path) = &self.output {
            let columns = (1..).find(|k| k * k >= self.count).unwrap_or(1);
            outputs.push(Output {
                path: path.clone(),
                bytes: files::grid_png(&sample, (self.count, c, h, w), columns)?,
            });
        }
        if let Some(path) = &self.tensor {
            outputs.push(Output {
                path: path.clone(),
                bytes: files::tensor_bytes("sample", &[self.count, c, h, w], &sample)?,
            });
        }
        files::write(outputs)
    }

    /// The solver's configuration: `--scheduler` or the model's file, read by `--sampler`'s class or its own.
    fn scheduler(&self, checkpoint: &Checkpoint) -> anyhow::Result<(SchedulerConfig, Vec<String>)> {
        let sampler = match &self.sampler {
            None => None,
            Some(name) => Some(SolverName::from_name(name).with_context(|| {
                format!("--sampler {name} is not one of {}", SolverName::names())
            })?),
        };
        let (text, file) = match &self.scheduler {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                (Some(text), path.display().to_string())
            }
            None => (checkpoint.scheduler.clone(), "scheduler_config.json".into()),
        };
        if text.is_none() && sampler.is_none() {
            bail!(
                "{} has no scheduler_config.json; name a --sampler or a --scheduler file",
                self.dir.display()
            );
        }
        let text = text.unwrap_or_else(|| "{}".into());
        let (config, warnings) =
            SchedulerConfig::open(&text, sampler, Map::new()).with_context(|| file.clone())?;
        if !self.clip {
            return Ok((config, warnings));
        }
        let fields = config.solver().clip_fields().with_context(|| {
            format!(
                "--clip: {} clips by its scheduler file or not at all",
                config.solver().name()
            )
        })?;
        SchedulerConfig::open(&text, sampler, fields).context(file)
    }
}

/// What `--eta` is, with each solver's own.
fn eta_help() -> String {
    let abouts = SolverName::ALL.iter().map(|solver| solver.about());
    let taken: Vec<String> = abouts
        .filter_map(|about| Some(format!("{} {}", about.name, about.takes.eta?)))
        .collect();
    format!(
        "Noise of {}: 0 is none, 1 as much as DDPM, or with tcd all of it fresh; by default {}",
        SolverName::listed(" and ", |about| about.takes.eta.is_some()),
        taken.join(", ")
    )
}

/// The default of every solver, from the table.
fn steps_help() -> String {
    let defaults: Vec<String> = SolverName::ALL
        .iter()
        .map(|&solver| {
            let steps = SchedulerConfig::new(solver).default_steps();
            format!("{} {steps}", solver.name())
        })
        .collect();
    format!("Steps; by default {}", defaults.join(", "))
}

/// Height and width of `64x48` (width first) or `64`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let (w, h) = text.split_once(['x', 'X', '×']).unwrap_or((text, text));
    match (h.trim().parse(), w.trim().parse()) {
        (Ok(h), Ok(w)) => Ok((h, w)),
        _ => Err("a size is a width and a height, such as 64x48".into()),
    }
}

/// A class by its number or by its name.
pub fn label(class: &str, labels: Option<&Labels>) -> anyhow::Result<usize> {
    let named = labels.and_then(|l| l.classes.iter().position(|name| name == class));
    match named.or_else(|| class.parse().ok()) {
        Some(label) => Ok(label),
        None if class == "any" => labels
            .and_then(|l| l.any)
            .context("--class any: the model has no label that means any"),
        None => bail!("--class {class} is neither a label's number nor one of the model's classes"),
    }
}
