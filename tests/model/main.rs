//! Reading models: configurations, checkpoints good and bad, and parsers under mutation.

mod allocation;
mod archives;
mod checkpoint;
mod config;
mod folders;
mod fuzz;
mod pickles;
mod pytorch;
mod safetensors;
mod table;
mod timesteps;
mod torch;
mod unet;
mod written;

use std::path::Path;

use pollen::model::{Checkpoint, ModelError};

/// The bytes of a safetensors file with this header, as it is, and this much data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";

/// Opens a model of default configuration with one file of weights.
fn open(weights: Vec<u8>) -> Result<Checkpoint, ModelError> {
    Checkpoint::from_files(vec![
        ("config.json".into(), b"{}".to_vec()),
        (WEIGHTS.into(), weights),
    ])
}

/// Every `config.json` among the fixtures, with its path.
fn fixture_configs() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut found = Vec::new();
    for group in ["models", "unets", "shapes", "chains"] {
        let mut folders: Vec<_> = std::fs::read_dir(root.join(group))
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        folders.sort();
        for path in folders.iter().map(|folder| folder.join("config.json")) {
            if let Ok(bytes) = std::fs::read(&path) {
                found.push((path.display().to_string(), bytes));
            }
        }
    }
    found
}

/// The sentence of an error, which must contain all of `parts`.
#[track_caller]
fn refused<T>(result: Result<T, ModelError>, parts: &[&str]) -> String {
    let Err(error) = result else {
        panic!("not refused; expected a sentence with {parts:?}");
    };
    let sentence = error.to_string();
    for part in parts {
        assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
    }
    assert!(!sentence.contains('\n'), "more than a line: {sentence}");
    sentence
}
