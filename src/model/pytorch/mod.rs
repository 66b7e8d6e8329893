//! PyTorch's files (`.bin`, `.pt`, `.pth`, `.ckpt`), read as data: a zip whose member `data.pkl` says which tensors
//! there are, and whose members `data/…` are their bytes; or the format of before version 1.6. Of the pickle, which is
//! a program, nothing is run.

mod choose;
mod legacy;
mod objects;
mod pickle;
mod value;

use super::ModelError;
use super::header::{Entry, MAX_DIMENSIONS, mistaken, shorten};
use super::source::NamedSource;
use super::zip::Directory;
use value::{Pickle, Tensor};

/// The longest `data.pkl` that is read; that of a thousand tensors has about 150 kB.
const MAX_PICKLE: u64 = 32 << 20;

const ZIP: &[u8] = b"PK\x03\x04";

/// The weights of a file, and sentences on how they were found.
pub(super) struct Contents {
    pub entries: Vec<Entry>,
    pub notes: Vec<String>,
}

/// Whether a file that begins like this is one of PyTorch's.
pub(super) fn begins(start: &[u8]) -> bool {
    start.starts_with(ZIP) || matches!(start, [0x80, 2..=3, 0x8a, 10, ..] | [0x80, 4..=5, 0x95, ..])
}

/// The weights in `file`. Reads its directory and `data.pkl`, and no tensor.
pub(super) fn read(file: &NamedSource) -> Result<Contents, ModelError> {
    contents(file).map_err(|reason| ModelError::PyTorch {
        file: file.shown.clone(),
        reason,
    })
}

fn contents(file: &NamedSource) -> Result<Contents, String> {
    let start = file.source.read(0, file.source.len().min(32) as usize)?;
    if let Some(at) = legacy::begins(&start) {
        return legacy::contents(file, at);
    }
    if !start.starts_with(ZIP) {
        let what = match start.is_empty() {
            true => Some("it is empty"),
            false => mistaken(&start),
        };
        return Err(what
            .unwrap_or(
                "it begins neither as a zip file nor as PyTorch's files did before version 1.6",
            )
            .into());
    }
    drop(start);
    let directory = Directory::read(file)?;
    let root = root(&directory)?;
    if let Ok(order) = directory.bytes(&format!("{root}byteorder"), 16)
        && &order[..] == b"big"
    {
        return Err("its numbers are big-endian, which are not read".into());
    }
    let bytes = directory.bytes(&format!("{root}data.pkl"), MAX_PICKLE)?;
    let pickle = pickle::read(&bytes, 0)?;
    contents_of(file, &pickle, |key| {
        directory.find(&format!("{root}data/{}", shorten(key)))
    })
}

/// Where the bytes of a storage begin in the file, and how many they are.
type Place = (u64, u64);

/// The weights in `pickle`, whose storages are where `place` says.
fn contents_of(
    file: &NamedSource,
    pickle: &Pickle,
    place: impl Fn(&str) -> Result<Place, String>,
) -> Result<Contents, String> {
    let (weights, notes) = choose::weights(pickle)?;
    let mut entries = Vec::with_capacity(weights.len());
    for (name, tensor) in weights {
        let tensor = &pickle.tensors[tensor as usize];
        let key = pickle.text(tensor.storage.key).unwrap_or_default();
        entries.push(entry(place(key)?, key, name, tensor)?);
    }
    let notes = notes
        .into_iter()
        .map(|note| format!("{}: {note}.", file.shown));
    Ok(Contents {
        entries,
        notes: notes.collect(),
    })
}

/// The folder in the zip that everything is in, with its `/`.
fn root(directory: &Directory) -> Result<String, String> {
    let mut roots = directory
        .names()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|root| root.ends_with('/') && root.matches('/').count() == 1);
    let (first, second) = (roots.next(), roots.next());
    match (first, second) {
        (Some(root), None) => {
            let script = format!("{root}constants.pkl");
            if directory.names().any(|name| name == script) {
                return Err("it is a TorchScript program, not weights".into());
            }
            Ok(root.to_string())
        }
        (None, _) => {
            Err("it is a zip file without a data.pkl, so that torch.save did not write it".into())
        }
        (Some(_), Some(_)) => Err("it is a zip file with several data.pkl".into()),
    }
}

/// Where the bytes of `tensor` are in the file, whose storage `key` is at that place.
fn entry((begin, size): Place, key: &str, name: &str, tensor: &Tensor) -> Result<Entry, String> {
    let element = tensor.dtype.bitsize() as u64 / 8;
    let stored = tensor.storage.dtype.map_or(1, |d| d.bitsize() as u64 / 8);
    if tensor
        .storage
        .len
        .checked_mul(stored)
        .is_none_or(|n| n > size)
    {
        return Err(format!(
            "its storage {} has {size} bytes, too few for the {} elements of the tensor {name}'s",
            shorten(key),
            tensor.storage.len
        ));
    }
    Ok(Entry {
        name: name.to_string(),
        dtype: tensor.dtype,
        shape: tensor.shape.clone(),
        offset: begin + tensor.offset * element,
        bytes: tensor.span * element,
        strides: tensor.strides.clone(),
    })
}
