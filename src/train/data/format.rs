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

/// Looks at the files `names` under `root`, whose first bytes `head(i)` gives: arrays are training data only where there are
/// no pictures.
///
/// # Errors
/// If they cannot be read, or are pickles (CIFAR's batches).
pub fn together(
    root: &str,
    names: &[String],
    head: impl Fn(usize) -> Result<Vec<u8>, Error>,
) -> Result<Together, Error> {
    let (mut npy, mut idx, mut pickle) = (Vec::new(), Vec::new(), None);
    if names.iter().any(|name| has_picture_ending(name)) {
        return Ok(Together::Pictures);
    }
    for (i, name) in names.iter().enumerate() {
        let file = name.rsplit('/').next().unwrap_or(name);
        if file.starts_with('.') {
            continue;
        }
        let head = head(i)?;
        match Format::of(&head) {
            Format::Npy => npy.push(i),
            Format::Idx => idx.push(i),
            Format::Gzip if file.contains("idx") => idx.push(i),
            // CIFAR's batches.meta stands before its data_batch_1
            Format::Other if is_pickle(&head) => {
                pickle = pickle
                    .filter(|of: &&String| !of.contains(".meta"))
                    .or(Some(name));
            }
            // it may be a picture
            Format::Other if !file.contains('.') => return Ok(Together::Pictures),
            _ => {}
        }
    }
    if let (true, true, Some(name)) = (npy.is_empty(), idx.is_empty(), pickle) {
        let within = if root.is_empty() { "" } else { "/" };
        return Err(tensors(&format!("{root}{within}{name}"), PICKLE));
    }
    Ok(match (npy.is_empty(), idx.is_empty()) {
        (false, _) => Together::Npy(npy),
        (_, false) => Together::Idx(idx),
        _ => Together::Pictures,
    })
}

/// How the archives end that are not read, and what unpacks them.
const ARCHIVES: [(&str, &str); 11] = [
    (".tar", "tar xf"),
    (".tar.gz", "tar xf"),
    (".tgz", "tar xf"),
    (".tar.bz2", "tar xf"),
    (".tbz2", "tar xf"),
    (".tar.xz", "tar xf"),
    (".txz", "tar xf"),
    (".tar.zst", "tar xf"),
    (".tar.z", "tar xf"),
    (".rar", "unrar x"),
    (".7z", "7z x"),
];

/// What to do with the file `name` where it is an archive that is not read, as the end of a sentence that begins with it.
pub fn archive(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let (_, unpack) = ARCHIVES.iter().find(|(end, _)| lower.ends_with(end))?;
    let kind = if unpack.starts_with("tar") {
        "a tar"
    } else {
        "an"
    };
    Some(format!(
        "is {kind} archive: unpack it ({unpack} {name}) and give the folder that comes of it"
    ))
}

/// Refuses the file `shown` where its name or its first bytes are those of no picture and of no array.
///
/// # Errors
/// If it is an archive, empty or a pickle; the message says what to do.
pub fn refuse(shown: &str, head: &[u8]) -> Result<(), Error> {
    if let (true, Some(what)) = (Format::of(head) != Format::Zip, archive(shown)) {
        return Err(Error::input(format!("{shown} {what}")));
    }
    match head {
        [] => Err(Error::input(format!("{shown} is empty: it has no bytes"))),
        head if is_pickle(head) => Err(tensors(shown, PICKLE)),
        _ => Ok(()),
    }
}

const PICKLE: &str = "a pickle of Python's";

fn is_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, ..])
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
