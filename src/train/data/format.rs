//! What a file of training data is, by its first bytes.

use super::classes::has_picture_ending;
use crate::Error;

/// How many bytes say it.
pub const HEAD: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Zip,
    Gzip,
    Idx,
    Npy,
    /// A picture, or what is not read.
    Other,
}

impl Format {
    /// `head` are the first [`HEAD`] bytes, or all where there are fewer.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0, 0, _, 1..=8, ..] => Self::Idx,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            _ => Self::Other,
        }
    }
}

/// What files are that are given together: pictures, or arrays at these places.
pub enum Together {
    Pictures,
    Npy(Vec<usize>),
    Idx(Vec<usize>),
}

/// Looks at the files `names`, whose first bytes `head(i)` gives: arrays are training data only where there are no pictures.
pub fn together(
    names: &[String],
    head: impl Fn(usize) -> Result<Vec<u8>, Error>,
) -> Result<Together, Error> {
    let (mut npy, mut idx) = (Vec::new(), Vec::new());
    if names.iter().any(|name| has_picture_ending(name)) {
        return Ok(Together::Pictures);
    }
    for (i, name) in names.iter().enumerate() {
        let file = name.rsplit('/').next().unwrap_or(name);
        if file.starts_with('.') {
            continue;
        }
        match Format::of(&head(i)?) {
            Format::Npy => npy.push(i),
            Format::Idx => idx.push(i),
            Format::Gzip if file.contains("idx") => idx.push(i),
            // it may be a picture
            Format::Other if !file.contains('.') => return Ok(Together::Pictures),
            _ => {}
        }
    }
    Ok(match (npy.is_empty(), idx.is_empty()) {
        (false, _) => Together::Npy(npy),
        (_, false) => Together::Idx(idx),
        _ => Together::Pictures,
    })
}

/// Refuses the file `shown` where its first bytes are those of no picture.
///
/// # Errors
/// If it is empty or a pickle; the message says what to do.
pub fn refuse(shown: &str, head: &[u8]) -> Result<(), Error> {
    match head {
        [] => Err(Error::input(format!("{shown} is empty: it has no bytes"))),
        [0x80, 2..=5, ..] => Err(tensors(shown, "a pickle of Python's")),
        _ => Ok(()),
    }
}

/// The refusal of PyTorch's zip file `shown`, whose members are `names`; nothing where it is none.
pub fn refuse_tensors<'a>(
    shown: &str,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), Error> {
    match names.any(|name| name == "data.pkl" || name.ends_with("/data.pkl")) {
        true => Err(tensors(shown, "PyTorch's file")),
        false => Ok(()),
    }
}

fn tensors(shown: &str, what: &str) -> Error {
    Error::input(format!(
        "{shown} is {what}, which is not read as training data; save its arrays as NPZ: numpy.savez(\"data.npz\", images=…, labels=…)"
    ))
}
