//! The tensors of a checkpoint, of one file or several, read one at a time.

use half::{bf16, f16};
use safetensors::Dtype;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::ModelError;
use super::checkpoint::UsedFile;
use super::fields::parse;
use super::folder::{is_pytorch, parent};
use super::header::{self, Entry};
use super::names::Naming;
use super::pytorch;
use super::source::{Arrival, NamedSource};
use crate::order::order;

/// How much of a tensor is read at a time: it is in memory twice for so long. A multiple of every type's size.
const PIECE: usize = 4 << 20;

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
    naming: Naming,
    /// Sentences on how the tensors were found.
    pub notes: Vec<String>,
    /// Their present names, the file's position in `files`, and what its header says.
    tensors: Vec<(String, usize, Entry)>,
    /// Their positions in the order of their names.
    order: Vec<usize>,
}

/// An index file, beside a sharded checkpoint.
#[derive(Deserialize)]
struct Index {
    weight_map: Map<String, Value>,
}

impl Weights {
    /// Reads the headers of `files` and brings the tensors' names up to date.
    fn open(files: Vec<NamedSource>) -> Result<Self, ModelError> {
        let mut notes = Vec::new();
        let mut entries = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let of_file = if in_pytorch_format(file)? {
                let contents = pytorch::read(file)?;
                notes.extend(contents.notes);
                contents.entries
            } else {
                header::read(file)?
            };
            let doubles = of_file.iter().filter(|e| e.dtype == Dtype::F64).count();
            if doubles > 0 {
                notes.push(format!(
                    "{}: {doubles} of its {} tensors are F64 and are rounded to F32.",
                    file.shown,
                    of_file.len()
                ));
            }
            entries.extend(of_file.into_iter().map(|entry| (i, entry)));
        }
        let shown = || {
            files
                .first()
                .map_or("", |file| file.shown.as_str())
                .to_string()
        };
        let (naming, found) = Naming::find(entries.iter().map(|(_, entry)| entry.name.as_str()))
            .map_err(|reason| ModelError::File {
                file: shown(),
                reason,
            })?;
        notes.extend(found.iter().map(|note| format!("{}: {note}.", shown())));
        let named = entries
            .into_iter()
            .filter_map(|(i, entry)| Some((naming.present(&entry.name)?, i, entry)));
        let tensors: Vec<(String, usize, Entry)> = named.collect();
        if tensors.iter().all(|(name, ..)| name.contains("lora")) && !tensors.is_empty() {
            return Err(ModelError::File {
                file: shown(),
                reason: "it is a LoRA, which changes a network's weights and is none; open those of the network".into(),
            });
        }
        let order = order(tensors.len(), &|a, b| tensors[a].0.cmp(&tensors[b].0));
        for pair in order.windows(2) {
            let [first, second] = [&tensors[pair[0]], &tensors[pair[1]]];
            if first.0 == second.0 {
                return Err(ModelError::File {
                    file: files[second.1].shown.clone(),
                    reason: format!("the tensor {} is there twice", header::shorten(&first.0)),
                });
            }
        }
        Ok(Self {
            files,
            naming,
            notes,
            tensors,
            order,
        })
    }

    /// The tensor of that present name, and the position of its file.
    fn get(&self, name: &str) -> Option<(usize, &Entry)> {
        let name_of = |i: &usize| self.tensors[*i].0.as_str();
        let at = self.order.binary_search_by(|i| name_of(i).cmp(name)).ok()?;
        let (_, file, entry) = &self.tensors[self.order[at]];
        Some((*file, entry))
    }

    /// What a tensor's numbers are.
    pub fn dtype(&self, name: &str) -> Option<Dtype> {
        self.get(name).map(|(_, entry)| entry.dtype)
    }

    /// The position of the tensor's file, and of the tensor in it.
    pub fn place(&self, name: &str) -> (usize, u64) {
        let found = self.get(name);
        found.map_or((0, 0), |(file, entry)| (file, entry.offset))
    }

    /// Resolves when the tensor can be read, where that is not yet so.
    pub fn arrival(&self, name: &str) -> Option<Arrival> {
        let (file, entry) = self.get(name)?;
        let source = &self.files[file].source;
        source.arrive(entry.offset, entry.bytes)
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
            let Some(name) = weights.naming.present(tensor) else {
                continue;
            };
            let found = weights.get(&name);
            if found.is_none_or(|(i, _)| weights.files[i].name != named(file)) {
                return Err(error(format!(
                    "it says that {file} holds the tensor {tensor}, which it does not"
                )));
            }
        }
        Ok(weights)
    }

    pub fn files(&self) -> impl Iterator<Item = UsedFile> {
        self.files.iter().map(UsedFile::of)
    }

    pub fn iter(&self) -> impl Iterator<Item = TensorInfo<'_>> {
        self.order.iter().map(|i| {
            let (name, _, entry) = &self.tensors[*i];
            TensorInfo {
                name,
                shape: &entry.shape,
                dtype: entry.dtype,
            }
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
        if !matches!(
            entry.dtype,
            Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16
        ) {
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
        let mut values = Vec::with_capacity(entry.shape.iter().product());
        let mut take = |bytes: &[u8]| {
            let first = values.len();
            decode(bytes, entry.dtype, &mut values);
            let wrong = values[first..].iter().position(|x| !x.is_finite());
            wrong.map_or(Ok(()), |i| {
                let index = first + i;
                let double = bytes.as_chunks::<8>().0.get(i);
                Err(match double.map(|b| f64::from_le_bytes(*b)) {
                    Some(value) if entry.dtype == Dtype::F64 && value.is_finite() => {
                        ModelError::Unstorable {
                            name: name.to_string(),
                            index,
                            value,
                            dtype: Dtype::F32.to_string(),
                        }
                    }
                    _ => ModelError::NotFinite {
                        name: name.to_string(),
                        file: file.shown.clone(),
                        index,
                        value: values[index],
                    },
                })
            })
        };
        match &entry.strides {
            Some(strides) => take(&gather(&file.read(entry.offset, len)?, entry, strides))?,
            None => {
                for at in (0..len).step_by(PIECE) {
                    take(&file.read(entry.offset + at as u64, PIECE.min(len - at))?)?;
                }
            }
        }
        Ok(values)
    }
}

/// Whether `file` is one of PyTorch's: by how it begins, else by its name.
fn in_pytorch_format(file: &NamedSource) -> Result<bool, ModelError> {
    let start = file.read(0, file.source.len().min(16) as usize)?;
    // A safetensors file has its header, which is JSON, after eight bytes.
    let header = start.get(8) == Some(&b'{');
    Ok(pytorch::begins(&start) || !header && is_pytorch(&file.name))
}

/// The elements of `entry` row-major and without gaps, out of the `bytes` from its first to its last.
fn gather(bytes: &[u8], entry: &Entry, strides: &[usize]) -> Vec<u8> {
    let size = entry.dtype.bitsize() / 8;
    let elements: usize = entry.shape.iter().product();
    let mut dense = Vec::with_capacity(elements * size);
    let mut position = vec![0; entry.shape.len()];
    let mut at = 0;
    for _ in 0..elements {
        dense.extend_from_slice(&bytes[at * size..(at + 1) * size]);
        for axis in (0..position.len()).rev() {
            position[axis] += 1;
            at += strides[axis];
            if position[axis] < entry.shape[axis] {
                break;
            }
            at -= position[axis] * strides[axis];
            position[axis] = 0;
        }
    }
    dense
}

/// Appends little-endian values of one of the four types that weights have.
fn decode(bytes: &[u8], dtype: Dtype, values: &mut Vec<f32>) {
    let halves = bytes.as_chunks::<2>().0.iter();
    let singles = bytes.as_chunks::<4>().0.iter();
    let doubles = bytes.as_chunks::<8>().0.iter();
    match dtype {
        Dtype::F16 => values.extend(halves.map(|b| f16::from_le_bytes(*b).to_f32())),
        Dtype::BF16 => values.extend(halves.map(|b| bf16::from_le_bytes(*b).to_f32())),
        Dtype::F64 => values.extend(doubles.map(|b| f64::from_le_bytes(*b) as f32)),
        _ => values.extend(singles.map(|b| f32::from_le_bytes(*b))),
    }
}

/// A shape without the sizes of 1 at its end.
fn significant(shape: &[usize]) -> &[usize] {
    let len = shape.iter().rposition(|n| *n != 1).map_or(0, |i| i + 1);
    &shape[..len]
}
