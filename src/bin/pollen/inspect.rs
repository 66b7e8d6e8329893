//! `pollen inspect DIR [--batch N] [--train]`.

use std::path::PathBuf;

use clap::Args;
use pollen::engine::{Inspection, TrainingInspection};
use pollen::graph::plan::Limits;
use pollen::model::{Checkpoint, UNet};

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
}

impl Inspect {
    /// Counts under the default WebGPU limits, whatever this machine has.
    pub fn run(&self) -> anyhow::Result<()> {
        let checkpoint = Checkpoint::open(&self.dir)?;
        let (h, w) = checkpoint.config.image_size(None)?;
        let unet = UNet::new(&checkpoint.config, h, w)?;
        let limits = Limits::default();
        let text = match self.train {
            true => {
                let inspection = TrainingInspection::of(&unet, self.batch, &limits)?;
                serde_json::to_string_pretty(&inspection)?
            }
            false => {
                let inspection = Inspection::of(&unet, self.batch, &limits)?;
                serde_json::to_string_pretty(&inspection)?
            }
        };
        println!("{text}");
        Ok(())
    }
}
