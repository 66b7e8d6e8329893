//! What `tests/fixtures` holds: networks whose weights are made again from a seed, and PyTorch's outputs.

use std::path::{Path, PathBuf};

use pollen::diffusion::noise::Generator;
use pollen::model::export::{Precision, Tensor, WEIGHTS, safetensors};
use pollen::model::{Checkpoint, Config, UNet};
use serde_json::Value as Json;

pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub fn json(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The folders below `group`, in order.
pub fn cases(group: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(fixtures().join(group))
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "{group} has no cases");
    folders
}

/// A file of tensors.
pub struct Tensors(Vec<u8>);

pub struct Stored {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl Tensors {
    pub fn open(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
    }

    /// A tensor as F32, whole numbers included.
    pub fn get(&self, name: &str) -> Option<Stored> {
        let tensors = ::safetensors::SafeTensors::deserialize(&self.0).expect("safetensors");
        let view = tensors.tensor(name).ok()?;
        let bytes = view.data();
        let values = match view.dtype() {
            ::safetensors::Dtype::F32 => bytemuck::pod_collect_to_vec(bytes),
            ::safetensors::Dtype::I64 => bytemuck::pod_collect_to_vec::<u8, i64>(bytes)
                .into_iter()
                .map(|v| v as f32)
                .collect(),
            other => panic!("{name} is {other:?}"),
        };
        Some(Stored {
            shape: view.shape().to_vec(),
            values,
        })
    }

    pub fn need(&self, name: &str) -> Stored {
        self.get(name)
            .unwrap_or_else(|| panic!("there is no {name}"))
    }
}

/// The checkpoint of a case whose weights come from its seed, optionally rounded to F16; the recipe is in
/// `tests/fixtures/README.md`.
pub fn checkpoint(case: &Path, precision: Precision) -> Checkpoint {
    let settings = json(&case.join("case.json"));
    let config_json = std::fs::read(case.join("config.json")).expect("config.json");
    let (config, _) = Config::parse("config.json", &config_json).expect("a configuration");
    let gain = settings["gain"].as_f64().expect("gain");
    let mut generator = Generator::new(settings["seed"].as_u64().expect("seed"));
    let step = 1 << (config.block_out_channels.len() - 1);
    let unet = UNet::new(&config, step * 4, step * 4).expect("a network");
    let mut names = unet.tensors.clone();
    names.sort();
    let mut digest = Vec::new();
    let tensors: Vec<Tensor> = names
        .into_iter()
        .map(|(name, shape)| {
            let mut values = vec![0.0f32; shape.iter().product()];
            generator.rand(&mut values);
            let dims = shape.len();
            let fan_in: usize = shape[1..].iter().product();
            let factor = (gain / (fan_in as f64).sqrt()) as f32;
            let time = name == "time_proj.weight";
            for u in &mut values {
                let v = 2.0 * *u - 1.0;
                *u = if dims == 2 && (time || name == "class_embedding.weight") {
                    v
                } else if time {
                    16.0 * v
                } else if dims >= 2 {
                    v * factor
                } else if name.ends_with(".weight") {
                    0.2 * v + 1.0
                } else {
                    0.1 * v
                };
            }
            digest.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            Tensor {
                name,
                shape,
                values: values.into(),
            }
        })
        .collect();
    let expected = settings["weights_sha256"].as_str().expect("weights_sha256");
    assert_eq!(
        pollen::model::sha256(&[&digest]),
        expected,
        "{}",
        case.display()
    );
    let weights = safetensors(&tensors, precision).expect("a file");
    drop(tensors);
    Checkpoint::from_files(vec![
        ("config.json".into(), config_json),
        (WEIGHTS.into(), weights),
    ])
    .expect("a checkpoint")
}

/// max |a − b| in units of the standard deviation of b.
pub fn difference(actual: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(actual.len(), expected.len(), "length");
    let n = expected.len() as f64;
    let mean = expected.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = expected
        .iter()
        .map(|v| (f64::from(*v) - mean).powi(2))
        .sum::<f64>()
        / n;
    let largest = actual
        .iter()
        .zip(expected)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs())
        .fold(
            0.0,
            |m: f64, d| if d.is_nan() { f64::NAN } else { m.max(d) },
        );
    largest / variance.sqrt()
}
