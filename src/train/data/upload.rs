//! Arrays among the files that a visitor of the page chose, read by the rules of the command line.

use std::rc::Rc;

use super::format::{self, Format, HEAD, Together};
use super::pictures::{MAX_ARRAY, Wanted};
use super::{DataSet, idx, npy};
use crate::Error;
use crate::model::{self, NamedSource};

/// Reads the arrays among `files`, of which gzipped ones have been unpacked; `None` where they are pictures, or a zip file of
/// pictures.
///
/// # Errors
/// If they cannot be read, or contradict each other; the message names the file.
pub async fn open_upload(
    files: Vec<NamedSource>,
    wanted: Wanted,
) -> Result<Option<(DataSet, Vec<String>)>, Error> {
    let names: Vec<String> = files.iter().map(|file| file.shown.clone()).collect();
    if let [file] = &files[..] {
        let head = head(file)?;
        if Format::of(&head) == Format::Zip {
            let shown = file.shown.clone();
            return npz(&shown, members(files)?, wanted).await;
        }
        format::refuse(&file.shown, &head)?;
    }
    let bytes = |i: usize, most: u64| whole(&files[i], most);
    match format::together("", &names, |i| head(&files[i]))? {
        Together::Pictures => Ok(None),
        Together::Npy(places) => {
            let names: Vec<String> = places.iter().map(|i| names[*i].clone()).collect();
            npy::open("", wanted, &names, |i, most| bytes(places[i], most)).map(Some)
        }
        Together::Idx(places) => {
            let content = |i: usize| {
                let bytes =
                    bytes(i, MAX_ARRAY).map_err(|e| std::io::Error::other(e.to_string()))?;
                Ok(idx::Content {
                    length: bytes.len() as u64,
                    most: bytes.len() as u64,
                    reader: Box::new(std::io::Cursor::new(bytes)),
                })
            };
            idx::open_among(wanted, &names, &places, content).map(Some)
        }
    }
}

async fn npz(
    shown: &str,
    members: Vec<(String, NamedSource)>,
    wanted: Wanted,
) -> Result<Option<(DataSet, Vec<String>)>, Error> {
    if !members.iter().any(|(name, _)| name.ends_with(".npy")) {
        return Ok(None);
    }
    let (names, files): (Vec<String>, Vec<NamedSource>) = members.into_iter().unzip();
    let (pictures, labels) = npy::training(shown, &names)?;
    for i in [Some(pictures), labels].into_iter().flatten() {
        let len = files[i].source.len();
        if len <= MAX_ARRAY
            && let Some(arrival) = files[i].source.arrive(0, len)
        {
            arrival.await;
        }
    }
    npy::open(shown, wanted, &names, |i, most| whole(&files[i], most)).map(Some)
}

/// The members of a zip file, the only one of `files`, with their names in it, sorted.
///
/// # Errors
/// If it cannot be read, or is PyTorch's file of tensors.
pub fn members(files: Vec<NamedSource>) -> Result<Vec<(String, NamedSource)>, Error> {
    let mut made = Vec::new();
    for zip in files.into_iter().map(Rc::new) {
        let shown = &zip.shown;
        let members = model::members(&zip).map_err(|why| {
            Error::input(format!("{shown} is no zip file that can be read ({why})"))
        })?;
        let root = format!("{}/", zip.name);
        made.extend(members.into_iter().map(|file| {
            let name = file.name.strip_prefix(&root).unwrap_or(&file.name);
            (name.trim_start_matches("./").to_owned(), file)
        }));
        format::refuse_tensors(shown, made.iter().map(|(name, _)| name))?;
    }
    Ok(made)
}

fn head(file: &NamedSource) -> Result<Vec<u8>, Error> {
    let len = file.source.len().min(HEAD as u64);
    read(file, len as usize)
}

/// A file of at most `most` bytes, which has arrived.
pub fn whole(file: &NamedSource, most: u64) -> Result<Vec<u8>, Error> {
    let len = file.source.len();
    if len > most {
        return Err(Error::input(format!(
            "{} has {len} bytes, more than the {most} that are read",
            file.shown
        )));
    }
    read(file, len as usize)
}

fn read(file: &NamedSource, len: usize) -> Result<Vec<u8>, Error> {
    match file.source.read(0, len) {
        Ok(bytes) => Ok(bytes.into_owned()),
        Err(why) => Err(Error::input(format!("{}: {why}", file.shown))),
    }
}
