//! MNIST's file format, IDX: big-endian sizes, then bytes; plain or gzipped.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::DataSet;
use super::arrays::{not_needed, number_classes};
use super::classes::{LabelSource, counted};
use super::pictures::{Collected, MAX_BYTES, Wanted};
use crate::Error;
use crate::picture::MAX_PIXELS;

/// Deflate makes no byte of more than this many.
const MOST_EXPANSION: u64 = 1032;

/// The type of an IDX file's numbers: bytes, and the whole numbers of 32 bits in which QMNIST has its labels.
const BYTES: u8 = 0x08;
const INTEGERS: u8 = 0x0c;

/// Reads the pictures of an idx3-ubyte file, and the labels of the file beside it where there is one:
/// `train-images-idx3-ubyte` has `train-labels-idx1-ubyte`, or as QMNIST `train-labels-idx2-int`, each plain or with
/// `.gz`.
pub fn open(path: &Path, wanted: Wanted) -> Result<(DataSet, Vec<String>), Error> {
    let shown = path.display();
    let (kind, shape, bytes) = read(path)?;
    if kind != BYTES {
        return Err(Error::input(format!(
            "{shown} is an IDX file of whole numbers; pictures are bytes (idx3-ubyte)"
        )));
    }
    let [count, h, w] = shape[..] else {
        return Err(Error::input(format!(
            "{shown} is an IDX file of {} dimensions; pictures have 3, N×H×W (idx3-ubyte)",
            shape.len()
        )));
    };
    if count == 0 || h == 0 || w == 0 || h as u64 * w as u64 > MAX_PIXELS {
        return Err(Error::input(format!(
            "{shown} says that it holds {count} pictures of {w}×{h}, which cannot be read"
        )));
    }
    let mut notes = Vec::new();
    let mut sentence = format!("{shown}: {count} grey pictures of {w}×{h}");
    let places = labels_beside(path);
    let found = places.iter().find(|path| path.is_file());
    let labels = match found.map(|beside| (beside, labels(beside, count))) {
        _ if wanted.asked.labels == LabelSource::None => None,
        None if places.is_empty() => None,
        None => {
            let names = places.iter().filter_map(|path| path.file_name());
            let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
            sentence += &format!(
                "; without labels, as none of {} is beside it",
                names.join(", ")
            );
            None
        }
        Some((beside, Ok(labels))) => {
            let counted = counted(&labels.1, labels.0.iter().copied());
            sentence += &format!("; {counted}, in {}", beside.display());
            Some(labels)
        }
        Some((_, Err(why))) if wanted.asked.unlabelled => {
            sentence += &not_needed(&why);
            None
        }
        Some((_, Err(why))) => return Err(why),
    };
    notes.push(sentence);
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    if file.to_lowercase().starts_with("emnist") {
        notes.push(format!(
            "{shown}: EMNIST keeps its characters with rows and columns exchanged; they are trained on as they are"
        ));
    }
    let mut collected = Collected::new(wanted, count)?;
    for picture in bytes.chunks_exact(h * w) {
        collected.push_bytes((1, h, w), |_, y, x| picture[y * w + x]);
    }
    collected.finish(labels, notes)
}

/// One number a picture, or as QMNIST has it a row of numbers whose first is the digit.
fn labels(path: &Path, count: usize) -> Result<(Vec<u32>, Vec<String>), Error> {
    let (kind, shape, bytes) = read(path)?;
    let columns = match shape[..] {
        [rows] if rows == count => 1,
        [rows, columns] if rows == count && columns > 0 && kind == INTEGERS => columns,
        _ => {
            return Err(Error::input(format!(
                "{} has {} labels in {} dimensions, and there are {count} pictures; one label each is needed",
                path.display(),
                shape.first().copied().unwrap_or(0),
                shape.len()
            )));
        }
    };
    let numbers: Vec<f64> = match kind {
        INTEGERS => {
            let words = bytes.as_chunks().0.iter();
            words
                .map(|word| f64::from(i32::from_be_bytes(*word)))
                .collect()
        }
        _ => bytes.into_iter().map(f64::from).collect(),
    };
    let first = numbers.into_iter().step_by(columns);
    number_classes(first, &path.display().to_string())
}

/// Where the labels may be: files named like the pictures' with `labels` for `images`, and `idx1` for `idx3` or `idx2-int`
/// for `idx3-ubyte`. None where the pictures' name does not say `images`.
fn labels_beside(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let labels = name.replace("images", "labels");
    if labels == name {
        return Vec::new();
    }
    let bytes = labels.replace("idx3", "idx1");
    let integers = labels.replace("idx3-ubyte", "idx2-int");
    [bytes, integers]
        .into_iter()
        .flat_map(|name| [name.clone(), format!("{name}.gz")])
        .map(|name| path.with_file_name(name))
        .collect()
}

/// Type, sizes and bytes of an IDX file. The sizes are claims: they are held against the file's length before anything is
/// allocated, and the memory grows with what is read.
fn read(path: &Path) -> Result<(u8, Vec<usize>, Vec<u8>), Error> {
    let shown = path.display();
    let cannot = |e: std::io::Error| Error::input(format!("{shown} cannot be read ({e})"));
    let file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    let mut magic = [0; 2];
    (&file).read_exact(&mut magic).map_err(cannot)?;
    let file = BufReader::new(File::open(path).map_err(cannot)?);
    let (mut content, most): (Box<dyn Read>, u64) = match magic {
        [0x1f, 0x8b] => (
            Box::new(MultiGzDecoder::new(file)),
            length.saturating_mul(MOST_EXPANSION),
        ),
        _ => (Box::new(file), length),
    };
    let damaged =
        |e: std::io::Error| Error::input(format!("{shown} is cut short or damaged ({e})"));
    let mut head = [0; 4];
    content.read_exact(&mut head).map_err(damaged)?;
    let [0, 0, kind @ (BYTES | INTEGERS), dimensions @ 1..=8] = head else {
        return Err(Error::input(format!(
            "{shown} is no IDX file of bytes or whole numbers: it begins with {head:02x?}, and MNIST's pictures with [00, 00, 08, 03]"
        )));
    };
    let mut shape = Vec::new();
    let mut need = if kind == BYTES { 1u64 } else { 4 };
    for _ in 0..dimensions {
        let mut size = [0; 4];
        content.read_exact(&mut size).map_err(damaged)?;
        let size = u32::from_be_bytes(size);
        need = need.saturating_mul(u64::from(size));
        shape.push(size as usize);
    }
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let header = 4 + 4 * u64::from(dimensions);
    if need > MAX_BYTES || need.saturating_add(header) > most {
        return Err(Error::input(format!(
            "{shown} says that it holds {} bytes, {}, and its {length} bytes cannot be that; it is cut short or damaged",
            need,
            sizes.join("×")
        )));
    }
    let mut bytes = Vec::new();
    content
        .take(need + 1)
        .read_to_end(&mut bytes)
        .map_err(damaged)?;
    if bytes.len() as u64 != need {
        let found = if bytes.len() as u64 > need {
            "more".to_string()
        } else {
            bytes.len().to_string()
        };
        return Err(Error::input(format!(
            "{shown} says that it holds {need} bytes, {}, and has {found}; it is cut short or damaged",
            sizes.join("×")
        )));
    }
    Ok((kind, shape, bytes))
}
