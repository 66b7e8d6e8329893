//! From a path to a data set: a file's format is recognised by its first bytes, not by its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::format::{self, Format, HEAD};
use super::pictures::{Asked, Collected, Wanted};
use super::{DataSet, archive, folder, idx, npy};
use crate::Error;
use crate::picture::frames::frames;
use crate::picture::{Picture, refuse_damaged};

/// Reads all pictures at `path`: a folder of them or a zip file of that, whose sub-folders are classes, an IDX file
/// (MNIST's, gzipped or not, with the labels beside it), an NPZ or NPY file, or a single picture. They are cropped around their
/// middle and resized to `size` (height, width), grey for 1 channel and colour for 3, with alpha for 2 and 4. Beside the
/// data come sentences about what was understood and what was left out.
///
/// # Errors
/// If there is nothing that can be read, or what there is contradicts itself; the message names the file.
pub fn open(
    path: &Path,
    size: (usize, usize),
    channels: usize,
    asked: Asked,
) -> Result<(DataSet, Vec<String>), Error> {
    let wanted = Wanted::new(size, channels, asked)?;
    let shown = path.display().to_string();
    let cannot = |e: std::io::Error| Error::input(format!("{shown} cannot be read ({e})"));
    if std::fs::metadata(path).map_err(cannot)?.is_dir() {
        return folder::open(path, wanted);
    }
    let head = head(path)?;
    format::refuse(&shown, &head)?;
    match Format::of(&head) {
        Format::Zip => archive::open(path, wanted),
        Format::Idx | Format::Gzip => {
            let beside = idx::labels_beside(&shown).into_iter();
            let beside = beside.filter(|name| Path::new(name).is_file());
            let names: Vec<String> = [shown].into_iter().chain(beside).collect();
            idx::open(wanted, &names, 0, |i| content(Path::new(&names[i])))
        }
        Format::Npy => {
            let labels = npy::labels_beside(path).into_iter();
            let paths: Vec<PathBuf> = [path.to_owned()].into_iter().chain(labels).collect();
            let names: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            npy::open("", wanted, &names, |i, most| whole(&paths[i], most))
        }
        Format::Other => {
            let mut collected = Collected::new(wanted, 1)?;
            let bytes = std::fs::read(path).map_err(cannot)?;
            refuse_damaged(&bytes, &shown, asked.trust)?;
            let picture = Picture::decode(&bytes, &shown, asked.trust);
            let picture = picture.map_err(|e| match Picture::recognised(&bytes) {
                true => e,
                false => Error::input(format!(
                    "{e}; a folder, a zip, IDX, NPZ or NPY file, or one picture is needed"
                )),
            })?;
            collected.push(&picture);
            collected.first_of(&shown, frames(&bytes));
            collected.finish(None, Vec::new())
        }
    }
}

/// Deflate makes no byte of more than this many.
const MOST_EXPANSION: u64 = 1032;

/// The first bytes of a file.
pub fn head(path: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    let file = File::open(path);
    file.and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(|e| Error::input(format!("{} cannot be read ({e})", path.display())))?;
    Ok(head)
}

/// An IDX file, gzipped or not.
pub fn content(path: &Path) -> io::Result<idx::Content<'static>> {
    let length = std::fs::metadata(path)?.len();
    let mut magic = [0; 2];
    File::open(path)?.read_exact(&mut magic)?;
    let file = BufReader::new(File::open(path)?);
    Ok(unpacked(file, magic, length))
}

/// The same, of a file that begins with `magic`.
pub fn unpacked(
    file: impl BufRead + 'static,
    magic: [u8; 2],
    length: u64,
) -> idx::Content<'static> {
    let (reader, most): (Box<dyn Read>, u64) = match magic {
        [0x1f, 0x8b] => (
            Box::new(MultiGzDecoder::new(file)),
            length.saturating_mul(MOST_EXPANSION),
        ),
        _ => (Box::new(file), length),
    };
    idx::Content {
        reader,
        length,
        most,
    }
}

/// A file of at most `most` bytes.
pub fn whole(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let shown = path.display();
    let cannot = |e: io::Error| Error::input(format!("{shown} cannot be read ({e})"));
    let bytes = std::fs::metadata(path).map_err(cannot)?.len();
    if bytes > most {
        return Err(Error::input(format!(
            "{shown} has {bytes} bytes, more than the {most} that are read"
        )));
    }
    std::fs::read(path).map_err(cannot)
}
