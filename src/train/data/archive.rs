//! A zip file: pictures in folders, or the arrays of an NPZ file.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

use super::format::Together;
use super::open::unpacked;
use super::pictures::{MAX_ARRAY, Wanted};
use super::tree::{self, MAX_FILE};
use super::{DataSet, format, idx, npy};
use crate::Error;

/// Deflate makes no byte of more than this many.
const MOST_EXPANSION: u64 = 1032;

/// Reads the zip file at `path`.
pub fn open(path: &Path, wanted: Wanted) -> Result<(DataSet, Vec<String>), Error> {
    let shown = path.display().to_string();
    let damaged = |e: &dyn std::fmt::Display| {
        Error::input(format!("{shown} is no zip file that can be read ({e})"))
    };
    let file = File::open(path).map_err(|e| damaged(&e))?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|e| damaged(&e))?;
    let mut entries: Vec<(String, usize)> = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(|e| damaged(&e))?;
        if entry.is_file() {
            let name = entry.name().map_err(|e| damaged(&e))?;
            entries.push((name.trim_start_matches("./").to_string(), i));
        }
    }
    entries.sort();
    let (names, places): (Vec<String>, Vec<usize>) = entries.into_iter().unzip();
    let archive = RefCell::new(archive);
    let read = |i: usize, most: u64| {
        let name = format!("{shown}/{}", names[i]);
        entry_bytes(&mut archive.borrow_mut(), places[i], &name, most)
    };
    format::refuse_tensors(&shown, names.iter())?;
    if names.iter().any(|name| name.ends_with(".npy")) {
        return npy::open(&shown, wanted, &names, read);
    }
    let head = |i: usize| {
        let mut head = Vec::new();
        if let Ok(entry) = archive.borrow_mut().by_index(places[i]) {
            // one that is damaged has its own sentence
            let _ = entry.take(format::HEAD as u64).read_to_end(&mut head);
        }
        Ok(head)
    };
    if let Together::Idx(found) = format::together(&shown, &names, head)? {
        let inside: Vec<String> = names.iter().map(|name| format!("{shown}/{name}")).collect();
        return idx::open_among(wanted, &inside, &found, |i| {
            let bytes = read(i, MAX_ARRAY).map_err(io::Error::other)?;
            let magic = *bytes.first_chunk().unwrap_or(&[0; 2]);
            let length = bytes.len() as u64;
            Ok(unpacked(Cursor::new(bytes), magic, length))
        });
    }
    tree::collect(&shown, wanted, &names, |i| read(i, MAX_FILE))
}

/// What an entry unpacks to. Its sizes are claims: they are checked against each other first, and the memory grows with
/// what is read.
fn entry_bytes(
    archive: &mut ZipArchive<BufReader<File>>,
    place: usize,
    name: &str,
    most: u64,
) -> Result<Vec<u8>, Error> {
    let broken =
        |e: &dyn std::fmt::Display| Error::input(format!("{name} cannot be unpacked ({e})"));
    let entry = archive.by_index(place).map_err(|e| broken(&e))?;
    let (size, packed) = (entry.size(), entry.compressed_size());
    if size > packed.saturating_mul(MOST_EXPANSION).saturating_add(64) {
        return Err(broken(&format!(
            "{size} bytes cannot come of {packed} packed ones"
        )));
    }
    if size > most {
        return Err(Error::input(format!(
            "{name} has {size} bytes, more than the {most} that are read"
        )));
    }
    let mut bytes = Vec::new();
    entry
        .take(size + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| broken(&e))?;
    if bytes.len() as u64 != size {
        let found = bytes.len().min(size as usize);
        let more = if bytes.len() as u64 > size {
            " and more"
        } else {
            ""
        };
        return Err(broken(&format!(
            "it says {size} bytes and has {found}{more}"
        )));
    }
    Ok(bytes)
}
