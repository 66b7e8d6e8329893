//! Files in folders, on disk or in a zip file: which are pictures, and of which class.

use std::collections::HashMap;

use image::ImageFormat;

use super::DataSet;
use super::pictures::{Collected, Wanted};
use crate::Error;
use crate::picture::Picture;

/// The file that may name the classes: a JSON list, class k's name in place k.
pub const CLASSES: &str = "classes.json";

/// The largest picture file, in bytes.
pub const MAX_FILE: u64 = 512 << 20;

/// A file's name within the tree, by folders.
type Parts<'a> = Vec<&'a str>;

/// Pictures by their place in the list of names, each with its class.
struct Tree {
    pictures: Vec<(usize, u32)>,
    classes: Vec<String>,
    notes: Vec<String>,
}

/// Builds the data set of the files `names` (relative, `/` between folders) under `root`, as `read(i)` gives their bytes.
/// Sub-folders are classes, sorted by name, or by number where all names are numbers.
pub fn collect(
    root: &str,
    wanted: Wanted,
    names: &[String],
    mut read: impl FnMut(usize) -> Result<Vec<u8>, Error>,
) -> Result<(DataSet, Vec<String>), Error> {
    let list = match names.iter().position(|name| name == CLASSES) {
        Some(at) => Some(class_list(root, &read(at)?)?),
        None => None,
    };
    let tree = arrange(root, names, list)?;
    let mut collected = Collected::new(wanted, tree.pictures.len())?;
    let mut labels = Vec::with_capacity(tree.pictures.len());
    for (at, label) in tree.pictures {
        let name = format!("{root}/{}", names[at]);
        match read(at).and_then(|bytes| Picture::decode(&bytes, &name)) {
            Ok(picture) => {
                collected.push(&picture);
                labels.push(label);
            }
            Err(why) => collected.skip(&why),
        }
    }
    if labels.is_empty() {
        let first = collected.unreadable().first().cloned().unwrap_or_default();
        return Err(Error::input(format!(
            "none of the {} pictures in {root} can be read; the first: {first}",
            collected.unreadable().len()
        )));
    }
    let labels = (!tree.classes.is_empty()).then_some((labels, tree.classes));
    collected.finish(labels, tree.notes)
}

fn class_list(root: &str, json: &[u8]) -> Result<Vec<String>, Error> {
    serde_json::from_slice(json).map_err(|e| {
        Error::input(format!(
            "{root}/{CLASSES} is no JSON list of the classes' names ({e})"
        ))
    })
}

fn arrange(root: &str, names: &[String], list: Option<Vec<String>>) -> Result<Tree, Error> {
    let hidden = |part: &&str| part.starts_with('.') || *part == "__MACOSX";
    let files: Vec<(usize, Parts)> = names
        .iter()
        .enumerate()
        .map(|(i, name)| (i, name.split('/').collect::<Parts>()))
        .filter(|(_, parts)| !parts.iter().any(hidden))
        .collect();
    let (mut pictures, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_picture);
    let mut notes = Vec::new();
    let others: Vec<String> = others
        .iter()
        .map(|(_, parts)| parts.join("/"))
        .filter(|name| name != CLASSES)
        .collect();
    if let Some(first) = others.first() {
        notes.push(format!(
            "{} of the files in {root} are no pictures by their names and are left out, {first} among them",
            others.len()
        ));
    }
    if pictures.is_empty() {
        return Err(Error::input(format!(
            "{root} holds no pictures; PNG, JPEG, WebP, GIF and BMP files are read"
        )));
    }
    if list.is_none() {
        strip_common(&mut pictures);
    }
    let folders = |parts: &Parts| (parts.len() > 1).then(|| parts[0].to_string());
    let (classed, loose): (Vec<_>, Vec<_>) =
        pictures.iter().partition(|(_, parts)| parts.len() > 1);
    if let ([(_, inside), ..], [(_, outside), ..]) = (&classed[..], &loose[..]) {
        return Err(Error::input(format!(
            "{root} holds pictures in folders, which are classes ({}), and pictures outside of them ({}); put all of them in folders, or none",
            inside.join("/"),
            outside.join("/")
        )));
    }
    let mut found: Vec<String> = pictures.iter().filter_map(|(_, p)| folders(p)).collect();
    sort_names(&mut found);
    found.dedup();
    let classes = match list {
        Some(list) if !found.is_empty() => {
            notes.push(format!("{CLASSES} names {} classes", list.len()));
            list
        }
        _ => found,
    };
    let places: HashMap<&String, usize> = classes.iter().zip(0..).collect();
    let label = |folder: &String| match places.get(folder) {
        Some(place) => Ok(*place),
        None => folder
            .parse::<usize>()
            .ok()
            .filter(|number| *number < classes.len())
            .ok_or_else(|| {
                Error::input(format!(
                    "the folder {folder} in {root} is none of the {} classes that {CLASSES} names",
                    classes.len()
                ))
            }),
    };
    let mut labelled = Vec::with_capacity(pictures.len());
    for (at, parts) in &pictures {
        let label = match folders(parts) {
            Some(folder) => label(&folder)? as u32,
            None => 0,
        };
        labelled.push((*at, label));
    }
    Ok(Tree {
        pictures: labelled,
        classes,
        notes,
    })
}

/// By its name: an extension of a picture, or none at all.
fn is_picture((_, parts): &(usize, Parts)) -> bool {
    let name = parts.last().copied().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, extension)) => ImageFormat::from_extension(extension).is_some(),
        None => !name.is_empty(),
    }
}

/// A folder that holds all of the others is no class.
fn strip_common(pictures: &mut [(usize, Parts)]) {
    while let Some(first) = pictures.first().map(|(_, parts)| parts[0])
        && pictures
            .iter()
            .all(|(_, parts)| parts.len() > 1 && parts[0] == first)
    {
        for (_, parts) in pictures.iter_mut() {
            parts.remove(0);
        }
    }
}

/// By number where all are numbers, else by name.
fn sort_names(names: &mut [String]) {
    let number = |name: &String| name.parse::<u64>().ok();
    if names.iter().all(|name| number(name).is_some()) {
        names.sort_by_key(|name| (number(name), name.clone()));
    } else {
        names.sort();
    }
}
