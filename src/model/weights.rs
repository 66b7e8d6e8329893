//! The tensors of a checkpoint, of one file or several, read one at a time.

use half::{bf16, f16};
use safetensors::Dtype;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ModelError;
use super::fields::parse;
use super::folder::parent;
use super::header::{self, Entry};
use super::source::NamedSource;

/// What is known of a tensor without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
    pub dtype: Dtype,
}

/// The headers of all files, and the files.
pub(super) struct Weights {
    files: Vec<NamedSource>,
    /// In the order of their present names: the file's position in `files`, and what its header says.
    tensors: Vec<(String, usize, Entry)>,
}

/// An index file, beside a sharded checkpoint.
#[derive(Deserialize)]
struct Index {
    weight_map: Map<String, Value>,
}

impl Weights {
    /// Reads the headers of `files` and brings old names up to date.
    fn open(files: Vec<NamedSource>) -> Result<Self, ModelError> {
        let mut tensors = Vec::new();
        for (i, file) in files.iter().enumerate() {
            for entry in header::read(file)? {
                tensors.push((present_name(&entry.name), i, entry));
            }
        }
        tensors.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        for pair in tensors.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(ModelError::Header {
                    file: files[pair[1].1].shown.clone(),
                    reason: format!("the tensor {} is there twice", pair[1].0),
                });
            }
        }
        Ok(Self { files, tensors })
    }

    /// The tensor of that present name, and the position of its file.
    fn get(&self, name: &str) -> Option<(usize, &Entry)> {
        let at = self
            .tensors
            .binary_search_by(|(of, ..)| of.as_str().cmp(name));
        at.ok().map(|at| (self.tensors[at].1, &self.tensors[at].2))
    }

    pub fn single(file: NamedSource) -> Result<Self, ModelError> {
        Self::open(vec![file])
    }

    /// The tensors of the files that `index` names, out of `files`.
    pub fn sharded(index: &NamedSource, files: Vec<NamedSource>) -> Result<Self, ModelError> {
        let error = |reason| ModelError::File {
            file: index.shown.clone(),
            reason,
        };
        let Index { weight_map } = parse(&index.shown, &index.read_small(1 << 20)?)?;
        let folder = parent(&index.name);
        let named = |file: &Value| format!("{folder}{}", file.as_str().unwrap_or_default());
        let mut wanted: Vec<String> = Vec::new();
        for file in weight_map.values().map(named) {
            if !wanted.contains(&file) {
                wanted.push(file);
            }
        }
        if let Some(missing) = wanted.iter().find(|w| files.iter().all(|f| f.name != **w)) {
            return Err(error(format!(
                "it names the file {missing}, which is missing"
            )));
        }
        let shards: Vec<_> = files
            .into_iter()
            .filter(|f| wanted.contains(&f.name))
            .collect();
        let weights = Self::open(shards)?;
        for (tensor, file) in &weight_map {
            let found = weights.get(&present_name(tensor));
            if found.is_none_or(|(i, _)| weights.files[i].name != named(file)) {
                return Err(error(format!(
                    "it says that {file} holds the tensor {tensor}, which it does not"
                )));
            }
        }
        Ok(weights)
    }

    pub fn iter(&self) -> impl Iterator<Item = TensorInfo<'_>> {
        self.tensors.iter().map(|(name, _, entry)| TensorInfo {
            name,
            shape: &entry.shape,
            dtype: entry.dtype,
        })
    }

    /// The tensor `name`, if its shape is `shape` but for sizes of 1 at the end (an old attention layer is a 1×1
    /// convolution) and its type one that weights have.
    pub fn find(&self, name: &str, shape: &[usize]) -> Result<(&NamedSource, &Entry), ModelError> {
        let Some((file, entry)) = self.get(name) else {
            return Err(ModelError::Missing {
                name: name.to_string(),
                file: self
                    .files
                    .iter()
                    .map(|f| f.shown.as_str())
                    .collect::<Vec<_>>()
                    .join(" and "),
            });
        };
        let file = &self.files[file];
        if significant(&entry.shape) != significant(shape) {
            return Err(ModelError::Shape {
                name: name.to_string(),
                file: file.shown.clone(),
                found: entry.shape.clone(),
                expected: shape.to_vec(),
            });
        }
        if !matches!(entry.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Err(ModelError::Dtype {
                name: name.to_string(),
                file: file.shown.clone(),
                dtype: entry.dtype.to_string(),
            });
        }
        Ok((file, entry))
    }

    pub fn tensor_f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let (file, entry) = self.find(name, shape)?;
        let len = usize::try_from(entry.bytes).map_err(|_| ModelError::File {
            file: file.shown.clone(),
            reason: format!(
                "the tensor {name} of {} bytes does not fit this machine's memory",
                entry.bytes
            ),
        })?;
        let values = decode(&file.read(entry.offset, len)?, entry.dtype);
        if let Some(index) = values.iter().position(|x| !x.is_finite()) {
            return Err(ModelError::NotFinite {
                name: name.to_string(),
                file: file.shown.clone(),
                index,
                value: values[index],
            });
        }
        Ok(values)
    }
}

/// Little-endian values of one of the three types that weights have.
fn decode(bytes: &[u8], dtype: Dtype) -> Vec<f32> {
    let halves = bytes.as_chunks::<2>().0;
    match dtype {
        Dtype::F16 => halves
            .iter()
            .map(|b| f16::from_le_bytes(*b).to_f32())
            .collect(),
        Dtype::BF16 => halves
            .iter()
            .map(|b| bf16::from_le_bytes(*b).to_f32())
            .collect(),
        _ => bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect(),
    }
}

/// A shape without the sizes of 1 at its end.
fn significant(shape: &[usize]) -> &[usize] {
    let len = shape.iter().rposition(|n| *n != 1).map_or(0, |i| i + 1);
    &shape[..len]
}

/// What diffusers calls a tensor today: attention's layers had other names until 2023.
fn present_name(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('.').collect();
    let n = parts.len();
    if n >= 4 && parts[n - 4] == "attentions" {
        parts[n - 2] = match parts[n - 2] {
            "query" => "to_q",
            "key" => "to_k",
            "value" => "to_v",
            "proj_attn" => "to_out.0",
            other => other,
        };
    }
    parts.join(".")
}
