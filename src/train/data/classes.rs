//! Which files of a folder are pictures, and of which class: the rule of the command line and of the page.

use serde::{Deserialize, Serialize};

use super::format::archive;
use super::splits::keep_training;
use crate::Error;
use crate::json;
use crate::order::order;

/// The file that may name the classes: a JSON list, class k's name in place k.
pub const CLASSES: &str = "classes.json";

/// How the names of picture files end. Not all of these formats can be decoded everywhere; a picture that cannot is
/// left out with a sentence.
const EXTENSIONS: [&str; 23] = [
    "apng", "avif", "bmp", "dds", "exr", "ff", "gif", "hdr", "ico", "jfif", "jpeg", "jpg", "pam",
    "pbm", "pgm", "png", "pnm", "ppm", "qoi", "tga", "tif", "tiff", "webp",
];

/// A file's name within the tree, by folders.
pub(super) type Parts<'a> = Vec<&'a str>;

/// Classes that are named one by one in a sentence.
const NAMED: usize = 256;

/// Folders inside of each other.
const MAX_DEPTH: usize = 64;

/// Where the labels of picture files are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum LabelSource {
    /// The folder that a picture is in.
    #[default]
    Folders,
    /// What stands before the first `_` of its file's name.
    Prefix,
    /// Nowhere: all pictures are trained on alike.
    None,
}

impl TryFrom<String> for LabelSource {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match &*name {
            "folders" => Ok(Self::Folders),
            "prefix" => Ok(Self::Prefix),
            "none" => Ok(Self::None),
            _ => Err(format!(
                "labels are folders, prefix or none, and {name} is none of these"
            )),
        }
    }
}

/// A picture by its place in the list of names, with its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    pub index: usize,
    /// A place in [`Arrangement::classes`]; 0 where there are no classes.
    pub label: u32,
}

/// The pictures of a folder in the order in which a data set has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arrangement {
    pub pictures: Vec<Member>,
    /// Names of the classes; empty where there are none.
    pub classes: Vec<String>,
    /// Sentences on what was left out, and where the classes are from.
    pub notes: Vec<String>,
}

/// The names of files within the one folder that was chosen, where `paths` begin with it.
pub fn below_common_folder(paths: Vec<String>) -> Vec<String> {
    let folder = |path: &String| path.split_once('/').map(|(first, _)| first.to_owned());
    let Some(chosen) = paths.first().and_then(folder) else {
        return paths;
    };
    let inside: Option<Vec<String>> = (paths.iter())
        .map(|path| Some(path.strip_prefix(&chosen)?.strip_prefix('/')?.to_owned()))
        .collect();
    inside.unwrap_or(paths)
}

/// The classes' names in the content of a [`CLASSES`] file under `root`.
///
/// # Errors
/// If it is no JSON list of strings.
pub fn class_list(root: &str, json: &[u8]) -> Result<Vec<String>, Error> {
    json::from_bytes(json).map_err(|e| {
        Error::input(format!(
            "{root}/{CLASSES} is no JSON list of the classes' names ({e})"
        ))
    })
}

/// Arranges the files `names` (relative, `/` between folders) under `root`, which is what errors call it. Pictures come
/// folder by folder, sorted by name. Classes are what `source` says: by default the sub-folders, sorted by name, or by
/// number where all names are numbers; `list` names them in another order. Folders named as splits (`train`, `test`) are
/// no classes, and only what is for training is kept. `unlabelled` is whether the network has no classes, so that pictures
/// beside folders are no contradiction.
///
/// # Errors
/// If there are no pictures, some are in folders and some are not, a name has no label in it, or a label is not in `list`.
pub fn arrange(
    root: &str,
    names: &[String],
    list: Option<Vec<String>>,
    source: LabelSource,
    unlabelled: bool,
) -> Result<Arrangement, Error> {
    let hidden = |part: &&str| part.starts_with('.') || *part == "__MACOSX";
    let mut files: Vec<(usize, Parts)> = names
        .iter()
        .enumerate()
        .map(|(i, name)| (i, name.split('/').collect::<Parts>()))
        .filter(|(_, parts)| !parts.iter().any(hidden))
        .collect();
    if let Some((index, _)) = files.iter().find(|(_, parts)| parts.len() > MAX_DEPTH) {
        return Err(Error::input(format!(
            "{root}/{} lies more than {MAX_DEPTH} folders deep; move it up",
            names[*index]
        )));
    }
    let sorted = order(files.len(), &|a, b| files[a].1.cmp(&files[b].1));
    let files = sorted.into_iter().map(|i| std::mem::take(&mut files[i]));
    let (mut pictures, others): (Vec<_>, Vec<_>) = files.partition(is_picture);
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
    let archive = others.iter().find_map(|name| Some((name, archive(name)?)));
    if let (true, Some((name, what))) = (pictures.is_empty(), archive) {
        return Err(Error::input(format!(
            "{root} holds no pictures, but {name}, which {what}"
        )));
    }
    let arrays = others.iter().map(String::as_str);
    let arrays: Vec<&str> = arrays.filter(|name| is_array(name)).take(NAMED).collect();
    if pictures.is_empty() && !arrays.is_empty() {
        return Err(Error::input(format!(
            "{root} holds no pictures, but {}; give that file itself",
            arrays.join(", ")
        )));
    }
    if pictures.is_empty() {
        return Err(Error::input(format!(
            "{root} holds no pictures; PNG, JPEG, WebP, GIF, BMP, TIFF and AVIF files are read"
        )));
    }
    if list.is_none() {
        strip_common(&mut pictures);
    }
    notes.extend(keep_training(root, &mut pictures)?);
    if list.is_none() {
        strip_common(&mut pictures);
    }
    let labels = match source {
        LabelSource::None => None,
        LabelSource::Prefix => Some(prefixes(root, names, &pictures)?),
        LabelSource::Folders => folders(root, &pictures, unlabelled, &mut notes)?,
    };
    let found: Vec<String> = (labels.iter().flatten())
        .map(|label| label.to_string())
        .collect();
    let mut found = sorted_names(&found);
    found.dedup();
    let classes = match list {
        Some(list) if !found.is_empty() => {
            notes.push(format!("{CLASSES} names {} classes", list.len()));
            list
        }
        _ => found,
    };
    let by_name = order(classes.len(), &|a, b| classes[a].cmp(&classes[b]));
    let place = |label: &str| match by_name
        .binary_search_by(|place| classes[*place].as_str().cmp(label))
    {
        Ok(at) => Ok(by_name[at]),
        Err(_) => label
            .parse::<usize>()
            .ok()
            .filter(|number| *number < classes.len())
            .ok_or_else(|| {
                let what = match source {
                    LabelSource::Prefix => "label",
                    _ => "folder",
                };
                Error::input(format!(
                    "the {what} {label} in {root} is none of the {} classes that {CLASSES} names",
                    classes.len()
                ))
            }),
    };
    let mut members = Vec::with_capacity(pictures.len());
    for (i, (index, _)) in pictures.iter().enumerate() {
        let label = match &labels {
            Some(labels) => place(labels[i])? as u32,
            None => 0,
        };
        members.push(Member {
            index: *index,
            label,
        });
    }
    if !classes.is_empty() {
        let from = match source {
            LabelSource::Prefix => "by what stands before the first _ of the files' names",
            _ => "by folder",
        };
        let counted = counted(&classes, members.iter().map(|member| member.label));
        notes.push(format!("{counted}, {from}"));
    }
    Ok(Arrangement {
        pictures: members,
        classes,
        notes,
    })
}

/// The folder of each picture; `None` where they are in none.
fn folders<'a>(
    root: &str,
    pictures: &[(usize, Parts<'a>)],
    unlabelled: bool,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<&'a str>>, Error> {
    let (classed, loose): (Vec<_>, Vec<_>) =
        pictures.iter().partition(|(_, parts)| parts.len() > 1);
    let ([(_, inside), ..], [(_, outside), ..]) = (&classed[..], &loose[..]) else {
        let labels = classed.iter().map(|(_, parts)| parts[0]).collect();
        return Ok((!classed.is_empty()).then_some(labels));
    };
    let (inside, outside) = (inside.join("/"), outside.join("/"));
    if unlabelled {
        notes.push(format!(
            "{root} holds pictures in folders ({inside}) and outside of them ({outside}); the network has no classes, and all of them are trained on alike"
        ));
        return Ok(None);
    }
    Err(Error::input(format!(
        "{root} holds pictures in folders, which are classes ({inside}), and pictures outside of them ({outside}); put all of them in folders, or none, or train without labels (--labels none, with a network without num_class_embeds)"
    )))
}

/// What stands before the first `_` of each picture's name, as OpenAI's guided-diffusion reads labels.
fn prefixes<'a>(
    root: &str,
    names: &[String],
    pictures: &[(usize, Parts<'a>)],
) -> Result<Vec<&'a str>, Error> {
    let label = |(index, parts): &(usize, Parts<'a>)| {
        let file = parts.last().copied().unwrap_or_default();
        let label = file.split_once('_').map(|(label, _)| label);
        label.filter(|label| !label.is_empty()).ok_or_else(|| {
            Error::input(format!(
                "{root}/{} has no label before a _ in its name, as rose_001.png has; name all pictures so, or put them in one folder a class",
                names[*index]
            ))
        })
    };
    pictures.iter().map(label).collect()
}

/// "2 classes: rose (3 pictures), tulip (1 picture)", and beyond the first [`NAMED`] how many there are.
pub(super) fn counted(classes: &[String], labels: impl Iterator<Item = u32>) -> String {
    let mut counts = vec![0usize; classes.len()];
    for label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    let named = classes.iter().zip(&counts).take(NAMED);
    let named: Vec<String> = named
        .map(|(class, count)| format!("{class} ({})", of_pictures(*count)))
        .collect();
    let rest = &counts[named.len()..];
    let more = match (rest.iter().min(), rest.iter().max()) {
        (Some(fewest), Some(most)) => {
            format!(
                " and {} more of {fewest} to {most} pictures each",
                rest.len()
            )
        }
        _ => String::new(),
    };
    let of = if classes.len() == 1 {
        "class"
    } else {
        "classes"
    };
    format!("{} {of}: {}{more}", classes.len(), named.join(", "))
}

/// The counts where some pictures were left out; www/sections/train/data.js has the same sentence.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn counted_again(classes: &[String], labels: &[u32]) -> String {
    let count = |class: u32| labels.iter().filter(|label| **label == class).count();
    let counts = classes.iter().zip(0..);
    let counts = counts.map(|(class, place)| format!("{class} {}", count(place)));
    let counts: Vec<String> = counts.collect();
    format!("without those that are left out: {}", counts.join(", "))
}

pub(super) fn of_pictures(count: usize) -> String {
    match count {
        1 => "1 picture".to_owned(),
        count => format!("{count} pictures"),
    }
}

/// By its name: an extension of a picture, or none at all.
fn is_picture((_, parts): &(usize, Parts)) -> bool {
    let name = parts.last().copied().unwrap_or_default();
    has_picture_ending(name) || !(name.contains('.') || name.is_empty())
}

/// Whether it may be an array or a data set of its own, by its name.
fn is_array(name: &str) -> bool {
    let endings = [".npz", ".npy", ".zip", "-ubyte", ".gz"];
    endings.iter().any(|end| name.ends_with(end))
}

/// Whether a file's name ends as those of pictures do.
pub(super) fn has_picture_ending(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|end| EXTENSIONS.contains(&end.to_ascii_lowercase().as_str()))
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
fn sorted_names(names: &[String]) -> Vec<String> {
    let number = |name: &String| name.parse::<u64>().ok();
    let numbers = names.iter().all(|name| number(name).is_some());
    let key = |name: &String| number(name).filter(|_| numbers);
    let sorted = order(names.len(), &|a, b| {
        let (a, b) = (&names[a], &names[b]);
        (key(a), a).cmp(&(key(b), b))
    });
    sorted.into_iter().map(|i| names[i].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(names: &[&str]) -> Result<Arrangement, Error> {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        arrange("it", &names, None, LabelSource::Folders, false)
    }

    /// As a walk through the folders meets them, in whatever order they were listed.
    #[test]
    fn the_order_is_that_of_the_folders() {
        let listed = ["b/1.png", "a-b/2.png", "a/10.png", "a/9.png", ".x/3.png"];
        let data = arranged(&listed).unwrap();
        assert_eq!(data.classes, ["a", "a-b", "b"]);
        let order: Vec<(usize, u32)> = (data.pictures.iter())
            .map(|member| (member.index, member.label))
            .collect();
        assert_eq!(order, [(2, 0), (3, 0), (1, 1), (0, 2)]);
        assert_eq!(
            data.notes,
            ["3 classes: a (2 pictures), a-b (1 picture), b (1 picture), by folder"]
        );
    }

    #[test]
    fn the_chosen_folder_is_no_class() {
        let below = |paths: &[&str]| {
            below_common_folder(paths.iter().map(|path| path.to_string()).collect())
        };
        assert_eq!(
            below(&["all/a/1.png", "all/classes.json"]),
            ["a/1.png", "classes.json"]
        );
        assert_eq!(below(&["a/1.png", "ab/2.png"]), ["a/1.png", "ab/2.png"]);
        assert_eq!(below(&["1.png", "a/2.png"]), ["1.png", "a/2.png"]);
    }

    #[test]
    fn classes_that_are_numbers_are_sorted_as_such() {
        let data = arranged(&["all/10/a.JPG", "all/9/b.webp", "all/notes.txt"]).unwrap();
        assert_eq!(data.classes, ["9", "10"]);
        assert!(data.notes[0].contains("all/notes.txt"), "{:?}", data.notes);
        assert!(arranged(&["a/1.png", "2.png"]).is_err());
        assert!(arranged(&["notes.txt"]).is_err());
    }
}
