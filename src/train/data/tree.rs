//! The pictures of a folder, on disk or in a zip file, as a data set.

use super::classes::{self, CLASSES, Member};
use super::pictures::{Collected, Wanted};
use super::{DataSet, format};
use crate::Error;
use crate::picture::frames::frames;
use crate::picture::{Picture, Trust};

/// The largest picture file, in bytes.
pub const MAX_FILE: u64 = 512 << 20;

/// Builds the data set of the files `names` (relative, `/` between folders) under `root`, as `read(i)` gives their bytes.
/// Which are pictures, and of which class, is what [`classes::arrange`] says.
pub fn collect(
    root: &str,
    wanted: Wanted,
    names: &[String],
    mut read: impl FnMut(usize) -> Result<Vec<u8>, Error>,
) -> Result<(DataSet, Vec<String>), Error> {
    let list = match names.iter().position(|name| name == CLASSES) {
        Some(at) => Some(classes::class_list(root, &read(at)?)?),
        None => None,
    };
    let arranged = classes::arrange(
        root,
        names,
        list,
        wanted.asked.labels,
        wanted.asked.unlabelled,
    )?;
    let mut collected = Collected::new(wanted, arranged.pictures.len())?;
    let mut labels = Vec::with_capacity(arranged.pictures.len());
    for Member { index, label } in arranged.pictures {
        let name = format!("{root}/{}", names[index]);
        let picture = read(index).and_then(|bytes| {
            format::refuse(&name, &bytes)?;
            let picture = Picture::decode(&bytes, &name, Trust::Whole)?;
            Ok((picture, frames(&bytes)))
        });
        match picture {
            Ok((picture, frames)) => {
                collected.push(&picture);
                collected.first_of(&names[index], frames);
                labels.push(label);
            }
            Err(why) => collected.skip(&names[index], &why),
        }
    }
    if labels.is_empty() {
        let first = collected.unreadable().first().cloned().unwrap_or_default();
        return Err(Error::input(format!(
            "none of the {} pictures in {root} can be read; the first: {first}",
            collected.unreadable().len()
        )));
    }
    let mut notes = arranged.notes;
    if !collected.unreadable().is_empty() && !arranged.classes.is_empty() {
        notes.push(classes::counted_again(&arranged.classes, &labels));
    }
    let labels = (!arranged.classes.is_empty()).then_some((labels, arranged.classes));
    collected.finish(labels, notes)
}
