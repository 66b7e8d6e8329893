//! `pollen likelihood DIR --image X`: the variational bound of a picture under a model, term by term.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pollen::diffusion::bound::bits_per_dim;
use pollen::diffusion::choices::VarianceType;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::likelihood::{BoundRequest, Term};
use pollen::diffusion::solvers::SolverName;
use pollen::engine::{Likelihood as Measurement, Network};
use pollen::model::Checkpoint;
use pollen::train::data::centred;
use serde_json::{Value, json};

use crate::files::{self, Output};
use crate::sample::label;
use crate::{On, picture, seed};

#[derive(Args)]
pub struct Likelihood {
    /// A model folder.
    dir: PathBuf,
    /// The picture: its middle is taken and resized to the model's size, grey where the model is.
    #[arg(long)]
    image: PathBuf,
    /// Take a damaged picture as it is: what comes before the damage.
    #[arg(long)]
    damaged: bool,
    /// Seeds PyTorch's CPU generator.
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// Noises at each timestep, over which its term is averaged.
    #[arg(long, default_value_t = 1)]
    samples: usize,
    /// "all", or how many of the timesteps to visit: one drawn from each of as many stretches that widen with t,
    /// for an unbiased estimate.
    #[arg(long, default_value = "all")]
    timesteps: String,
    /// A label or a class's name; without it, the label that means any.
    #[arg(long)]
    class: Option<String>,
    /// The variance of a reverse step, in place of the scheduler file's.
    #[arg(long)]
    variance: Option<String>,
    /// Gets every term, as JSON or, by its name, as CSV.
    #[arg(long)]
    output: Option<PathBuf>,
}

impl Likelihood {
    pub async fn run(&self, on: &On) -> anyhow::Result<()> {
        if let Some(path) = &self.output {
            files::writable(path)?;
            if !["json", "csv"]
                .map(Some)
                .contains(&extension(path).as_deref())
            {
                bail!("--output {} is neither .json nor .csv", path.display());
            }
        }
        let timesteps = match self.timesteps.as_str() {
            "all" => None,
            number => Some(number.parse().ok().filter(|n| *n > 0).with_context(|| {
                format!("--timesteps {number} is neither \"all\" nor a number above 0")
            })?),
        };
        let variance = match &self.variance {
            Some(name) => Some(VarianceType::from_name(name).with_context(|| {
                let names: Vec<&str> = VarianceType::ALL.iter().map(|v| v.name()).collect();
                format!("--variance {name} is not one of {}", names.join(", "))
            })?),
            None => None,
        };
        let checkpoint = Checkpoint::open(&self.dir)?;
        let class = match &self.class {
            Some(class) => Some(label(class, checkpoint.labels.as_ref())?),
            None => None,
        };
        let (scheduler, mut warnings) = match &checkpoint.scheduler {
            Some(text) => SchedulerConfig::parse(text, Some(SolverName::Ddpm))
                .context("scheduler_config.json")?,
            None => bail!(
                "{} has no scheduler_config.json, which says how the model was trained",
                self.dir.display()
            ),
        };
        let channels = checkpoint.config.in_channels;
        if !(1..=4).contains(&channels) {
            bail!(
                "the model takes {channels} channels, and a picture has 1 or 3, or 2 or 4 with alpha"
            );
        }
        let picture = picture(&self.image, self.damaged)?;
        let device = on.open().await?;
        let (network, more) = Network::load(&device, &checkpoint, None, |_| {}).await?;
        warnings.extend(more);
        for warning in warnings {
            eprintln!("warning: {warning}");
        }
        let (c, h, w) = network.image();
        let fitted = picture.fit((h, w), c);
        // The bound is one of 8-bit pictures.
        let x0: Vec<f32> = fitted
            .into_iter()
            .map(|v| centred((v * 255.0).round() as u8))
            .collect();
        let request = BoundRequest {
            scheduler,
            variance,
            seed: self.seed,
            samples: self.samples,
            timesteps,
        };
        let mut measurement = Measurement::new(&network, &request, class, &x0).await?;
        let bar = ProgressBar::new(measurement.measurement().terms() as u64).with_style(
            ProgressStyle::with_template("{bar:40} {pos}/{len} timesteps, {eta} left")?,
        );
        let mut terms = Vec::new();
        while let Some(term) = measurement.next().await? {
            terms.push(term);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let result = Measured {
            prior: measurement.measurement().prior(),
            values: x0.len(),
            timesteps: measurement.measurement().total_timesteps(),
            variance: measurement.measurement().variance().name(),
            terms,
        };
        print!("{}", result.summary(self.samples));
        let outputs = self.output.iter().map(|path| Output {
            path: path.clone(),
            bytes: match extension(path).as_deref() {
                Some("csv") => result.csv().into_bytes(),
                _ => format!("{:#}\n", result.json(self.samples, self.seed)).into_bytes(),
            },
        });
        files::write(outputs.collect())
    }
}

fn extension(path: &std::path::Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

/// All terms of a picture.
struct Measured {
    /// L_T, in nats.
    prior: f64,
    /// How many values the picture has.
    values: usize,
    /// T.
    timesteps: usize,
    variance: &'static str,
    terms: Vec<Term>,
}

impl Measured {
    /// Σ weight·nats of the terms that are `wanted`.
    fn sum(&self, wanted: impl Fn(usize) -> bool) -> f64 {
        let terms = self.terms.iter().filter(|term| wanted(term.t));
        terms.map(|term| term.weight * term.nats).sum()
    }

    fn total(&self) -> f64 {
        self.prior + self.sum(|_| true)
    }

    /// Every timestep was visited.
    fn complete(&self) -> bool {
        self.terms.len() == self.timesteps
    }

    fn summary(&self, samples: usize) -> String {
        let mut text = String::new();
        let mut line = |name: &str, nats: f64, after: &str| {
            let bits = bits_per_dim(nats, self.values);
            let _ = writeln!(
                text,
                "{name:<14} {bits:>12.6} bits/dim {nats:>14.4} nats{after}"
            );
        };
        line("L_T", self.prior, "");
        // A single visited timestep represents all, L_0 among them.
        if self
            .terms
            .iter()
            .any(|term| term.t == 1 && term.weight == 1.0)
        {
            line("L_1 … L_(T-1)", self.sum(|t| t > 1), "");
            line("L_0", self.sum(|t| t == 1), "");
        } else {
            line("L_0 … L_(T-1)", self.sum(|_| true), "");
        }
        line("total", self.total(), "");
        let _ = if self.complete() {
            writeln!(
                text,
                "-ln p(x_0) is at most that, up to the noise that was drawn: {samples} a timestep, all {} timesteps.",
                self.timesteps
            )
        } else {
            writeln!(
                text,
                "An unbiased estimate of the bound on -ln p(x_0), from {} of {} timesteps, {samples} noises each.",
                self.terms.len(),
                self.timesteps
            )
        };
        text
    }

    /// Timesteps as files count them, so that a term is L_timestep.
    fn json(&self, samples: usize, seed: u64) -> Value {
        let cost =
            |nats: f64| json!({ "nats": nats, "bits_per_dim": bits_per_dim(nats, self.values) });
        let terms: Vec<Value> = self
            .terms
            .iter()
            .map(|term| {
                let mut value = cost(term.nats);
                value["timestep"] = (term.t - 1).into();
                value["weight"] = term.weight.into();
                value
            })
            .collect();
        json!({
            "values": self.values,
            "timesteps": self.timesteps,
            "visited": self.terms.len(),
            "estimate": !self.complete(),
            "samples": samples,
            "seed": seed,
            "variance_type": self.variance,
            "L_T": cost(self.prior),
            "terms": terms,
            "total": cost(self.total()),
        })
    }

    fn csv(&self) -> String {
        let mut text = String::from("term,nats,bits_per_dim,weight\n");
        let mut row = |name: &str, nats: f64, weight: f64| {
            let bits = bits_per_dim(nats, self.values);
            let _ = writeln!(text, "{name},{nats},{bits},{weight}");
        };
        row("L_T", self.prior, 1.0);
        for term in &self.terms {
            row(&format!("L_{}", term.t - 1), term.nats, term.weight);
        }
        row("total", self.total(), 1.0);
        text
    }
}
