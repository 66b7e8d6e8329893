//! The header of a safetensors file: the tensors' types, shapes and places.
//!
//! The file is eight bytes with the header's length, the header (JSON), and the tensors without gaps. Everything
//! here is checked against the file's length before a tensor is read, because the offsets decide what is allocated.

use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

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

/// The header's pairs as they come, duplicates included.
struct Pairs(Vec<(String, Raw)>);

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
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        pairs.push((name, map.next_value()?));
                    }
                }
                Ok(Pairs(pairs))
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
    if length < 8 {
        return Err(error(format!("it is only {length} bytes long")));
    }
    let start = file.read(0, 8)?;
    let header_len = start
        .iter()
        .rev()
        .fold(0, |n, byte| n << 8 | u64::from(*byte));
    if let Some(what) = mistaken(&start) {
        return Err(error(what.into()));
    }
    if header_len > MAX_HEADER {
        return Err(error(format!(
            "its header claims {header_len} bytes, and {MAX_HEADER} is the most that one may have"
        )));
    }
    if header_len > length - 8 {
        return Err(error(format!(
            "its header claims {header_len} bytes, and the file has {length}"
        )));
    }
    let header = file.read(8, header_len as usize)?;
    let Pairs(mut pairs) =
        json::from_bytes(&header).map_err(|e| error(format!("its header does not parse ({e})")))?;
    drop(header);
    if pairs.iter().any(|(name, _)| name.is_empty()) {
        return Err(error("a tensor has no name".into()));
    }
    let data = length - 8 - header_len;
    let mut end = 0;
    let mut entries = Vec::with_capacity(pairs.len());
    let in_file = order(pairs.len(), &|a, b| {
        pairs[a].1.data_offsets.cmp(&pairs[b].1.data_offsets)
    });
    for i in in_file {
        let (name, raw) = (std::mem::take(&mut pairs[i].0), &pairs[i].1);
        entries.push(entry(name, raw, end, data, 8 + header_len).map_err(error)?);
        end = raw.data_offsets.1;
    }
    if end < data {
        return Err(error(format!(
            "its tensors end at byte {end} of {data}; the rest belongs to none"
        )));
    }
    Ok(entries)
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
