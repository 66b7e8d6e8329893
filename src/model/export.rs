//! Writing a model as diffusers reads it.

use std::borrow::Cow;
use std::collections::HashMap;

use half::f16;
use safetensors::{Dtype, View};

use super::{Config, Labels, ModelError};

/// The name under which diffusers looks for weights.
pub const WEIGHTS: &str = "diffusion_pytorch_model.safetensors";

/// The type that weights are stored in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    F32,
    /// Rounded to nearest, ties to even.
    F16,
}

/// A tensor to be written: row-major values of a shape.
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Cow<'a, [f32]>,
}

/// What is stored of a tensor; F16 is converted when it is written.
struct Stored<'a>(&'a Tensor<'a>, Precision);

impl View for Stored<'_> {
    fn dtype(&self) -> Dtype {
        match self.1 {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
        }
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let values = &self.0.values;
        match self.1 {
            // Every platform that it runs on is little-endian, as the format is.
            Precision::F32 => Cow::Borrowed(bytemuck::cast_slice(values)),
            Precision::F16 => {
                let halves = values.iter().map(|x| f16::from_f32(*x));
                Cow::Owned(halves.flat_map(f16::to_le_bytes).collect())
            }
        }
    }

    fn data_len(&self) -> usize {
        self.0.values.len() * self.dtype().bitsize() / 8
    }
}

/// The bytes of a safetensors file. A value that is not finite, or not as F16, is an error.
pub fn safetensors(tensors: &[Tensor], precision: Precision) -> Result<Vec<u8>, ModelError> {
    for tensor in tensors {
        let stored = |x: f32| match precision {
            Precision::F32 => x,
            Precision::F16 => f16::from_f32(x).to_f32(),
        };
        if let Some(index) = tensor.values.iter().position(|x| !stored(*x).is_finite()) {
            return Err(ModelError::Unstorable {
                name: tensor.name.clone(),
                index,
                value: tensor.values[index].into(),
                dtype: Stored(tensor, precision).dtype().to_string(),
            });
        }
    }
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    let views = tensors.iter().map(|t| (&t.name, Stored(t, precision)));
    safetensors::serialize(views, Some(metadata)).map_err(|e| ModelError::File {
        file: WEIGHTS.into(),
        reason: format!("the tensors cannot be written ({e})"),
    })
}

/// The files of a flat model folder, names and contents, the weights last.
pub fn files(
    config: &Config,
    scheduler: &str,
    labels: Option<&Labels>,
    tensors: &[Tensor],
    precision: Precision,
) -> Result<Vec<(String, Vec<u8>)>, ModelError> {
    let mut files = vec![
        ("config.json".to_string(), config.to_json().into_bytes()),
        (
            "scheduler_config.json".to_string(),
            scheduler.as_bytes().to_vec(),
        ),
    ];
    if let Some(labels) = labels {
        files.push(("labels.json".to_string(), labels.to_json().into_bytes()));
    }
    files.push((WEIGHTS.to_string(), safetensors(tensors, precision)?));
    Ok(files)
}

/// Writes `files` into `folder`, which is made if need be. Every file is complete under a temporary name before the
/// first one takes the place of an older one, so that a full disk leaves what was there.
#[cfg(not(target_arch = "wasm32"))]
pub fn write(folder: &std::path::Path, files: &[(String, Vec<u8>)]) -> Result<(), ModelError> {
    use std::fs;
    use std::io::Write;

    let failed = |path: &std::path::Path, e: std::io::Error| ModelError::File {
        file: path.display().to_string(),
        reason: format!("it cannot be written ({e})"),
    };
    fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    let places: Vec<_> = files
        .iter()
        .map(|(name, _)| {
            let partial = format!(".{name}.{}.partial", std::process::id());
            (folder.join(partial), folder.join(name))
        })
        .collect();
    let store = || {
        for ((partial, _), (_, bytes)) in places.iter().zip(files) {
            let written = fs::File::create(partial)
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
            written.map_err(|e| failed(partial, e))?;
        }
        for (partial, place) in &places {
            fs::rename(partial, place).map_err(|e| failed(place, e))?;
        }
        Ok(())
    };
    let stored = store();
    if stored.is_err() {
        for (partial, _) in &places {
            // What was never made cannot be removed.
            let _ = fs::remove_file(partial);
        }
    }
    stored
}
