//! Models as diffusers stores them: a folder with `config.json` and weights (safetensors, or PyTorch's own files)
//! becomes a network.
//!
//! [`Config`] is the configuration, [`Checkpoint`] the opened folder.

mod archive;
mod checkpoint;
mod config;
mod config_written;
mod derived;
mod error;
pub mod export;
mod fields;
mod folder;
pub(crate) mod header;
mod init;
mod labels;
mod layers;
mod names;
mod pytorch;
mod record;
mod source;
mod spread;
mod time;
mod unet;
mod weights;
mod zip;

#[cfg(target_arch = "wasm32")]
pub use archive::members;
pub use checkpoint::{Checkpoint, UsedFile};
pub use config::{
    Activation, Block, ClassEmbedding, Config, MAX_CHANNELS, MAX_LAYERS, MAX_LEVELS, MAX_ROWS,
    MAX_SIZE, MAX_TIME_DIM, Resampling, TimeEmbedding, TimeScaleShift,
};
pub use derived::Heads;
pub use error::ModelError;
pub use labels::{ClassLabels, Labels};
pub use record::{RecordedFile, Shipped, sha256};
pub use source::{Arrival, NamedSource, Source};
pub use time::TimeFeatures;
pub use unet::UNet;
pub use weights::TensorInfo;
