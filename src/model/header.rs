//! The header of a safetensors file: the tensors' types, shapes and places.
//!
//! The file is eight bytes with the header's length, the header (JSON), and the tensors without gaps. Everything
//! here is checked against the file's length before a tensor is read, because the offsets decide what is allocated.

use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::{Map, Value};

use super::ModelError;
use super::source::NamedSource;
use crate::json;
use crate::order::order;

/// The longest header that is read; that of a U-Net of a thousand tensors has about 100 kB.
pub const MAX_HEADER: u64 = 8 << 20;
/// The most dimensions of a tensor.
pub const MAX_DIMENSIONS: usize = 8;

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Where its bytes begin in the file.
    pub offset: u64,
    /// How many bytes from the first to the last of them.
    pub bytes: u64,
    /// How many elements lie between neighbours along each axis; none where the values lie row-major without gaps.
    pub strides: Option<Vec<usize>>,
}

/// An entry as the header writes it; offsets are relative to the end of the header.
#[derive(Deserialize)]
struct Raw {
    dtype: Dtype,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// What a training or a tool wrote beside the tensors.
pub type Metadata = Map<String, Value>;

/// The header's pairs as they come, duplicates included, and its metadata.
struct Pairs(Vec<(String, Raw)>, Metadata);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object with an entry for each tensor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                let mut metadata = Value::Null;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        metadata = map.next_value()?;
                    } else {
                        pairs.push((name, map.next_value()?));
                    }
                }
                let metadata = match metadata {
                    Value::Object(metadata) => metadata,
                    _ => Metadata::new(),
                };
                Ok(Pairs(pairs, metadata))
            }
        }
        d.deserialize_map(Collect)
    }
}

/// Reads and checks the header of `file`. The tensors come in the order in which they lie in the file.
pub fn read(file: &NamedSource) -> Result<Vec<Entry>, ModelError> {
    let error = |reason: String| ModelError::Header {
        file: file.shown.clone(),
        reason,
    };
    let length = file.source.len();
    let start = file.read(0, length.min(8) as usize)?;
    let header_len = header_length(&start, length).map_err(error)?;
    let header = file.read(8, header_len as usize)?;
    let (entries, _) = parse(&header, length - 8 - header_len).map_err(error)?;
    Ok(entries)
}

/// The tensors and the metadata of a whole file, as [`read`] checks them.
///
/// # Errors
/// If it is no safetensors file, in a clause.
pub fn of_bytes(file: &[u8]) -> Result<(Vec<Entry>, Metadata), String> {
    let length = file.len() as u64;
    let header_len = header_length(file, length)?;
    let (header, data) = file[8..].split_at(header_len as usize);
    parse(header, data.len() as u64)
}

/// The length of the header of a file of `length` bytes that begins with `start`.
fn header_length(start: &[u8], length: u64) -> Result<u64, String> {
    let Some(first) = start.first_chunk() else {
        return Err(format!("it is only {length} bytes long"));
    };
    if let Some(what) = mistaken(start) {
        return Err(what.into());
    }
    let header_len = u64::from_le_bytes(*first);
    if header_len > MAX_HEADER {
        return Err(format!(
            "its header claims {header_len} bytes, and {MAX_HEADER} is the most that one may have"
        ));
    }
    if header_len > length - 8 {
        return Err(format!(
            "its header claims {header_len} bytes, and the file has {length}"
        ));
    }
    Ok(header_len)
}

/// The tensors that `header` names, in the order in which they lie in the `data` bytes that follow it, and its metadata.
fn parse(header: &[u8], data: u64) -> Result<(Vec<Entry>, Metadata), String> {
    let Pairs(mut pairs, metadata) =
        json::from_bytes(header).map_err(|e| format!("its header does not parse ({e})"))?;
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        return Err("a tensor has no name".into());
    }
    let mut end = 0;
    let mut entries = Vec::with_capacity(pairs.len());
    let in_file = order(pairs.len(), &|a, b| {
        pairs[a].1.data_offsets.cmp(&pairs[b].1.data_offsets)
    });
    for i in in_file {
        let (name, raw) = (std::mem::take(&mut pairs[i].0), &pairs[i].1);
        entries.push(entry(name, raw, end, data, 8 + header.len() as u64)?);
        end = raw.data_offsets.1;
    }
    if end < data {
        return Err(format!(
            "its tensors end at byte {end} of {data}; the rest belongs to none"
        ));
    }
    Ok((entries, metadata))
}

/// What a file that begins like this is, if not weights.
pub fn mistaken(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'v', b'e', b'r', b's', b'i', b'o', b'n', b' ', ..] => Some(
            "it is a Git LFS pointer; fetch the file itself, with git lfs pull or from the model's page",
        ),
        [b'<', ..] => Some("it is a web page, perhaps the server's error message"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("it is text in UTF-16; save it as UTF-8"),
        _ => None,
    }
}

/// Checks one entry: it must begin where the one before it ends, and its bytes be those of its shape and type.
fn entry(
    name: String,
    raw: &Raw,
    previous_end: u64,
    data: u64,
    data_start: u64,
) -> Result<Entry, String> {
    let (begin, end) = raw.data_offsets;
    let shown = shorten(&name);
    if end < begin {
        return Err(format!(
            "the tensor {shown} ends before it begins ({begin}..{end})"
        ));
    }
    if end > data {
        return Err(format!(
            "the tensor {shown} ends at byte {end}, and the file has {data} bytes of tensors; it may have been cut short"
        ));
    }
    if begin < previous_end {
        return Err(format!(
            "the tensor {shown} overlaps the one before it ({begin} < {previous_end})"
        ));
    }
    if begin > previous_end {
        return Err(format!(
            "the bytes {previous_end}..{begin} before the tensor {shown} belong to none"
        ));
    }
    if raw.shape.len() > MAX_DIMENSIONS {
        return Err(format!(
            "the tensor {shown} has {} dimensions",
            raw.shape.len()
        ));
    }
    let bits = raw
        .shape
        .iter()
        .try_fold(raw.dtype.bitsize() as u64, |n, size| n.checked_mul(*size));
    if bits.is_none_or(|bits| bits % 8 != 0 || bits / 8 != end - begin) {
        return Err(format!(
            "the tensor {shown} of shape {:?} and type {} does not fill its {} bytes",
            raw.shape,
            raw.dtype,
            end - begin
        ));
    }
    // A size may exceed what this machine can address only beside a size of 0.
    let shape = raw
        .shape
        .iter()
        .map(|size| usize::try_from(*size))
        .collect::<Result<_, _>>()
        .map_err(|_| format!("the tensor {shown} has the absurd shape {:?}", raw.shape))?;
    Ok(Entry {
        name,
        dtype: raw.dtype,
        shape,
        offset: data_start + begin,
        bytes: end - begin,
        strides: None,
    })
}

/// At most 120 characters of a name that a file made up.
pub fn shorten(name: &str) -> String {
    if name.chars().count() > 120 {
        name.chars().take(120).chain("…".chars()).collect()
    } else {
        name.to_string()
    }
}
