//! From a path to a data set: a file's format is recognised by its first bytes, not by its name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::pictures::{Asked, Collected, Wanted};
use super::{DataSet, archive, folder, idx, npy};
use crate::Error;
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
    let mut head = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(8).read_to_end(&mut head).map_err(cannot)?;
    match head[..] {
        [] => Err(Error::input(format!("{shown} is empty: it has no bytes"))),
        [b'P', b'K', 3 | 5, 4 | 6, ..] => archive::open(path, wanted),
        [0x1f, 0x8b, ..] | [0, 0, _, 1..=8, ..] => idx::open(path, wanted),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => npy::open_npy(path, wanted),
        _ => {
            let mut collected = Collected::new(wanted, 1)?;
            let bytes = std::fs::read(path).map_err(cannot)?;
            refuse_damaged(&bytes, &shown, asked.trust)?;
            let picture = Picture::decode(&bytes, &shown, asked.trust).map_err(|e| {
                Error::input(format!(
                    "{e}; a folder, a zip, IDX, NPZ or NPY file, or one picture is needed"
                ))
            })?;
            collected.push(&picture);
            collected.finish(None, Vec::new())
        }
    }
}
