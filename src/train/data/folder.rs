//! A folder of pictures, or of arrays.

use std::path::Path;

use walkdir::WalkDir;

use super::format::{self, Together};
use super::open::{content, head, whole};
use super::pictures::Wanted;
use super::tree::{self, MAX_FILE};
use super::{DataSet, idx, npy};
use crate::Error;

/// Reads the pictures in `path` and its sub-folders, see [`tree::collect`]; where there are none, the arrays.
pub fn open(path: &Path, wanted: Wanted) -> Result<(DataSet, Vec<String>), Error> {
    let root = path.display().to_string();
    let mut notes = Vec::new();
    let mut names = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                notes.push(format!("{root}: {e}; it is left out"));
                continue;
            }
        };
        if let Ok(relative) = entry.path().strip_prefix(path)
            && entry.file_type().is_file()
        {
            let parts = relative.iter().map(|part| part.to_string_lossy());
            names.push((parts.collect::<Vec<_>>().join("/"), entry.into_path()));
        }
    }
    let (names, paths): (Vec<_>, Vec<_>) = names.into_iter().unzip();
    let read = |i: usize| {
        let cannot =
            |e: std::io::Error| Error::input(format!("{root}/{} cannot be read ({e})", names[i]));
        let bytes = std::fs::metadata(&paths[i]).map_err(cannot)?.len();
        if bytes > MAX_FILE {
            return Err(Error::input(format!(
                "{root}/{} has {bytes} bytes, more than the {MAX_FILE} of the largest picture",
                names[i]
            )));
        }
        std::fs::read(&paths[i]).map_err(cannot)
    };
    let shown: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let (data, more) = match format::together(&root, &names, |i| head(&paths[i]))? {
        Together::Pictures => tree::collect(&root, wanted, &names, read)?,
        Together::Npy(places) => {
            let names: Vec<String> = places.iter().map(|i| names[*i].clone()).collect();
            let read = |i: usize, most: u64| whole(&paths[places[i]], most);
            npy::open(&root, wanted, &names, read)?
        }
        Together::Idx(places) => idx::open_among(wanted, &shown, &places, |i| content(&paths[i]))?,
    };
    notes.extend(more);
    Ok((data, notes))
}
