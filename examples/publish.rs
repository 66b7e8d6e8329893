//! Puts a model on the page: `cargo run --release --example publish -- SOURCE www/models/NAME "Title"` copies a model
//! folder with its weights as F16, and records size and SHA-256 of each file in `www/models/index.json`.

use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::path::Path;

use pollen::model::export::{self, Precision, Tensor, WEIGHTS};
use pollen::model::{Checkpoint, RecordedFile, Shipped, sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, target, title] = arguments.as_slice() else {
        return Err("three arguments are needed: SOURCE TARGET TITLE".into());
    };
    let (source, target) = (Path::new(source), Path::new(target));
    let checkpoint = Checkpoint::open(source)?;
    let tensors = checkpoint
        .tensors()
        .map(|t| {
            Ok(Tensor {
                name: t.name.to_string(),
                shape: t.shape.to_vec(),
                values: Cow::Owned(checkpoint.tensor_f32(t.name, t.shape)?),
            })
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let mut files = Vec::new();
    for name in ["config.json", "scheduler_config.json", "labels.json"] {
        if source.join(name).exists() {
            files.push((name.to_string(), fs::read(source.join(name))?));
        }
    }
    files.push((
        WEIGHTS.to_string(),
        export::safetensors(&tensors, Precision::F16)?,
    ));
    export::write(target, &files)?;

    let id = target
        .file_name()
        .and_then(|n| n.to_str())
        .ok_or("TARGET has no name")?;
    let folder = target.parent().ok_or("TARGET has no parent")?;
    let index = folder.join("index.json");
    let mut shipped: Vec<Shipped> = if index.exists() {
        serde_json::from_slice(&fs::read(&index)?)?
    } else {
        Vec::new()
    };
    let record = Shipped {
        id: id.to_string(),
        title: title.clone(),
        path: format!("models/{id}/"),
        bytes: files.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        files: files
            .iter()
            .map(|(name, bytes)| RecordedFile {
                name: name.clone(),
                bytes: bytes.len() as u64,
                sha256: sha256(&[bytes]),
            })
            .collect(),
    };
    match shipped.iter_mut().find(|s| s.id == id) {
        Some(old) => *old = record,
        None => shipped.push(record),
    }
    let json = serde_json::to_string_pretty(&shipped)? + "\n";
    export::write(folder, &[("index.json".to_string(), json.into_bytes())])?;
    Ok(())
}
