//! MNIST's file format, IDX: big-endian sizes, then bytes; plain or gzipped.

use std::io::{self, Read};

use super::DataSet;
use super::arrays::{Labelled, labelled, number_classes};
use super::classes::LabelSource;
use super::pictures::{Collected, MAX_ARRAY, Wanted};
use crate::Error;
use crate::picture::MAX_PIXELS;

/// The type of an IDX file's numbers: bytes, and the whole numbers of 32 bits in which QMNIST has its labels.
const BYTES: u8 = 0x08;
const INTEGERS: u8 = 0x0c;

/// What an IDX file holds, unpacked where it is gzipped.
pub struct Content<'a> {
    pub reader: Box<dyn Read + 'a>,
    /// Bytes of the file itself.
    pub length: u64,
    /// The most bytes that can come of it.
    pub most: u64,
}

/// Reads the pictures of the idx3-ubyte file `names[at]`, and the labels of the file beside it where that is among `names`:
/// `train-images-idx3-ubyte` has `train-labels-idx1-ubyte`, or as QMNIST `train-labels-idx2-int`, each plain or with `.gz`.
/// `file(i)` opens `names[i]`.
pub fn open<'a>(
    wanted: Wanted,
    names: &[String],
    at: usize,
    file: impl Fn(usize) -> io::Result<Content<'a>>,
) -> Result<(DataSet, Vec<String>), Error> {
    let shown = &names[at];
    let (kind, shape, bytes) = read(shown, file(at))?;
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
    let places = labels_beside(shown);
    let found = names.iter().position(|name| places.contains(name));
    let labels = match found {
        _ if wanted.asked.labels == LabelSource::None => None,
        None if places.is_empty() => None,
        None => {
            let places: Vec<&str> = places.iter().map(|name| last(name)).collect();
            let places = places.join(", ");
            sentence += &format!("; without labels, as none of {places} is beside it");
            None
        }
        Some(i) => {
            let read = read(&names[i], file(i)).and_then(|read| labels(&names[i], read, count));
            let read = read.map(|labels| (labels, names[i].clone()));
            labelled(read, wanted, &mut sentence)?
        }
    };
    notes.push(sentence);
    if last(shown).to_ascii_lowercase().starts_with("emnist") {
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

/// Reads those of the IDX files `names[i]`, i out of `places`, that are training data, as [`open`] does.
pub fn open_among<'a>(
    wanted: Wanted,
    names: &[String],
    places: &[usize],
    file: impl Fn(usize) -> io::Result<Content<'a>>,
) -> Result<(DataSet, Vec<String>), Error> {
    let several: Vec<&String> = places.iter().map(|i| &names[*i]).collect();
    let (at, left_out) = training(&several)?;
    let (data, mut notes) = open(wanted, names, places[at], file)?;
    notes.extend(left_out);
    Ok((data, notes))
}

/// Which of several IDX files has the pictures to train on, by the names: those that say `images`, and of these the ones that
/// say `train`. Those that are left out are in the sentence.
///
/// # Errors
/// If that leaves none or several.
fn training(names: &[&String]) -> Result<(usize, Option<String>), Error> {
    let pictures = |name: &str| !labels_beside(name).is_empty();
    let train = |name: &str| last(name).to_ascii_lowercase().contains("train");
    let narrowed = |places: &[usize], to: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let several = places.len() > 1;
        let places = places.iter().copied();
        places.filter(|i| !several || to(names[*i])).collect()
    };
    let all: Vec<usize> = (0..names.len()).collect();
    let all = narrowed(&all, &pictures);
    match (&narrowed(&all, &train)[..], &all[..]) {
        ([at], [_]) => Ok((*at, None)),
        ([at], all) => {
            let others = all.iter().filter(|i| *i != at);
            let others: Vec<&str> = others.map(|i| names[*i].as_str()).collect();
            let others = others.join(", ");
            Ok((
                *at,
                Some(format!(
                    "only {} is trained on; left out: {others}",
                    names[*at]
                )),
            ))
        }
        _ => {
            let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
            Err(Error::input(format!(
                "none or several of {} are pictures to train on by their names, as train-images-idx3-ubyte is; give one, and the file of its labels",
                names.join(", ")
            )))
        }
    }
}

/// One number a picture, or as QMNIST has it a row of numbers whose first is the digit.
fn labels(name: &str, (kind, shape, bytes): Idx, count: usize) -> Result<Labelled, Error> {
    let columns = match shape[..] {
        [rows] if rows == count => 1,
        [rows, columns] if rows == count && columns > 0 && kind == INTEGERS => columns,
        _ => {
            return Err(Error::input(format!(
                "{name} has {} labels in {} dimensions, and there are {count} pictures; one label each is needed",
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
    number_classes(first, name)
}

/// The file's name without its folders.
fn last(name: &str) -> &str {
    name.rsplit(['/', std::path::MAIN_SEPARATOR])
        .next()
        .unwrap_or(name)
}

/// Where the labels may be: files named like the pictures' with `labels` for `images`, and `idx1` for `idx3` or `idx2-int`
/// for `idx3-ubyte`. None where the pictures' name does not say `images`.
pub fn labels_beside(name: &str) -> Vec<String> {
    let (folder, name) = name.split_at(name.len() - last(name).len());
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let labels = name.replace("images", "labels");
    if labels == name {
        return Vec::new();
    }
    let bytes = labels.replace("idx3", "idx1");
    let integers = labels.replace("idx3-ubyte", "idx2-int");
    [bytes, integers]
        .into_iter()
        .flat_map(|name| [format!("{folder}{name}"), format!("{folder}{name}.gz")])
        .collect()
}

/// Type, sizes and bytes.
type Idx = (u8, Vec<usize>, Vec<u8>);

/// The content of an IDX file. The sizes are claims: they are held against the file's length before anything is allocated, and
/// the memory grows with what is read.
fn read(shown: &str, file: io::Result<Content>) -> Result<Idx, Error> {
    let Content {
        reader: mut content,
        length,
        most,
    } = file.map_err(|e| Error::input(format!("{shown} cannot be read ({e})")))?;
    let damaged = |e: io::Error| Error::input(format!("{shown} is cut short or damaged ({e})"));
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
    if need > MAX_ARRAY || need.saturating_add(header) > most {
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
