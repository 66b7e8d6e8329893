//! `pollen inspect DIR [--batch N] [--train] [--kernels OUT]`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use pollen::diffusion::config::SchedulerConfig;
use pollen::engine::Inspection;
use pollen::engine::kernels::NetworkKernels;
use pollen::graph::Tuning;
use pollen::graph::plan::Limits;
use pollen::model::{Checkpoint, UNet};
use pollen::train::TrainingInspection;
use serde::Serialize;
use serde_json::Map;

use crate::files::{self, Output};

#[derive(Args)]
pub struct Inspect {
    /// A model folder; its config.json alone is enough.
    dir: PathBuf,
    /// Pictures in the making at a time.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// The cost of a step of training instead.
    #[arg(long)]
    train: bool,
    /// Also writes calls.json, one object a dispatch of the network's pass as a real GPU has it, and each distinct WGSL
    /// into this folder, which is made where it is missing.
    #[arg(long, value_name = "OUT", conflicts_with = "train")]
    kernels: Option<PathBuf>,
}

impl Inspect {
    /// Counts under the default WebGPU limits, whatever this machine has.
    pub fn run(&self) -> anyhow::Result<()> {
        let checkpoint = Checkpoint::open(&self.dir)?;
        let ((h, w), without) = checkpoint.config.opening_size()?;
        let mut warnings = checkpoint.warnings.clone();
        warnings.extend(without);
        let mut sampler = None;
        if let Some(text) = &checkpoint.scheduler {
            match SchedulerConfig::open(text, None, Map::new()) {
                Ok((scheduler, said)) => {
                    sampler = Some(scheduler.solver().name());
                    warnings.extend(said);
                }
                Err(error) => warnings.push(error.to_string()),
            }
        }
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
        let mut unet = UNet::new(&checkpoint.config, h, w)?;
        if !self.train {
            checkpoint.hold(&mut unet.graph);
        }
        let limits = Limits::default();
        let answer = match self.train {
            true => {
                let inspection = TrainingInspection::of(&unet, self.batch, &limits)?;
                text(inspection, sampler, warnings)?
            }
            false => {
                let inspection = Inspection::of(&unet, self.batch, &limits)?;
                text(inspection, sampler, warnings)?
            }
        };
        if let Some(out) = &self.kernels {
            let gpu = Tuning::Large;
            let kernels = NetworkKernels::of(&unet, self.batch, &limits, gpu)?;
            std::fs::create_dir_all(out)
                .with_context(|| format!("the folder {} cannot be made", out.display()))?;
            let calls = serde_json::to_vec_pretty(&kernels.calls)?;
            let texts = kernels.texts.into_iter();
            let written = texts
                .map(|(file, text)| (file, text.into_bytes()))
                .chain([("calls.json".to_owned(), calls)]);
            files::write(
                written
                    .map(|(file, bytes)| Output {
                        path: out.join(file),
                        bytes,
                    })
                    .collect(),
            )?;
        }
        println!("{answer}");
        Ok(())
    }
}

/// What is printed: the counts, and what `sample` would begin with.
#[derive(Serialize)]
struct Answer<T> {
    #[serde(flatten)]
    counts: T,
    /// The solver that the scheduler's file asks for, or the one in its place.
    sampler: Option<&'static str>,
    warnings: Vec<String>,
}

fn text<T: Serialize>(
    counts: T,
    sampler: Option<&'static str>,
    warnings: Vec<String>,
) -> serde_json::Result<String> {
    serde_json::to_string_pretty(&Answer {
        counts,
        sampler,
        warnings,
    })
}
