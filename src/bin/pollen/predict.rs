//! `pollen predict DIR --input in.safetensors --output out.safetensors`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use pollen::engine::{Device, Network};
use pollen::model::Checkpoint;
use safetensors::Dtype;

use crate::files::{self, Output, Tensors};

/// The types of timesteps and labels.
const NUMBERS: &[Dtype] = &[
    Dtype::I64,
    Dtype::I32,
    Dtype::F64,
    Dtype::F32,
    Dtype::F16,
    Dtype::BF16,
];

#[derive(Args)]
pub struct Predict {
    /// A model folder.
    dir: PathBuf,
    /// `sample` [N,C,H,W] F32, `timestep` [N] whole or floating, `class_labels` [N] where the model has classes.
    #[arg(long)]
    input: PathBuf,
    /// Gets `prediction` [N,out_channels,H,W] F32.
    #[arg(long)]
    output: PathBuf,
}

impl Predict {
    pub async fn run(&self, device: &Device) -> anyhow::Result<()> {
        files::writable(&self.output)?;
        let checkpoint = Checkpoint::open(&self.dir)?;
        let input = Tensors::open(&self.input)?;
        let sample = input.need("sample", &[Dtype::F32])?;
        let timestep = input.need("timestep", NUMBERS)?;
        let labels = input.get("class_labels", NUMBERS)?;
        let file = self.input.display();
        let &[n, c, h, w] = sample.shape.as_slice() else {
            bail!(
                "{file}: sample has the shape {:?}, and must be [N,C,H,W]",
                sample.shape
            );
        };
        if c != checkpoint.config.in_channels {
            bail!(
                "{file}: sample has {c} channels, and the model takes {}",
                checkpoint.config.in_channels
            );
        }
        let timesteps = match timestep.values.len() {
            1 => vec![timestep.values[0]; n],
            len if len == n => timestep.values,
            len => bail!("{file}: timestep has {len} entries, and sample a batch of {n}"),
        };
        let (network, warnings) = Network::load(device, &checkpoint, Some((h, w)), |_| {}).await?;
        warnings
            .iter()
            .for_each(|warning| eprintln!("warning: {warning}"));
        let labels = labels.map(|l| l.values);
        let prediction = network
            .predict(&sample.values, &timesteps, labels.as_deref())
            .await?;
        let shape = [n, network.config.out_channels, h, w];
        let bytes = files::tensor_bytes("prediction", &shape, &prediction)?;
        files::write(vec![Output {
            path: self.output.clone(),
            bytes,
        }])
    }
}
