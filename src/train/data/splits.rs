//! Folders that are splits of a data set: only what is for training is trained on.

use super::classes::{Parts, of_pictures};
use crate::Error;

/// What a folder's name says that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Split {
    Train,
    Validation,
    Test,
}

/// Words beside the split's own in folders' names that say nothing: `train_images`, `test set`.
const BESIDE: [&str; 9] = [
    "data", "dataset", "image", "images", "img", "imgs", "pictures", "set", "split",
];

impl Split {
    const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The split that a folder's name says, with the other words in it: `DIV2K_train_HR` and `DIV2K_valid_HR` are two
    /// splits of one set. Numbers do not count: `train2017`. A capital begins a word: `trainA`, `TrainImages`.
    fn of(folder: &str) -> Option<(Self, String)> {
        let (mut split, mut rest) = (None, String::new());
        let parts = folder.split(|c: char| c.is_ascii() && !c.is_ascii_alphabetic());
        for word in parts.flat_map(humps) {
            let word = word.to_ascii_lowercase();
            let kind = match word.strip_suffix("set").unwrap_or(&word) {
                "train" | "training" => Self::Train,
                "val" | "valid" | "validation" | "dev" | "eval" | "evaluation" => Self::Validation,
                "test" | "testing" => Self::Test,
                _ => {
                    if !BESIDE.contains(&&*word) {
                        rest.push(' ');
                        rest += &word;
                    }
                    continue;
                }
            };
            if split.replace(kind).is_some() {
                return None;
            }
        }
        Some((split?, rest))
    }
}

/// The words of `TrainImages`.
fn humps(word: &str) -> impl Iterator<Item = &str> {
    let bytes = word.as_bytes();
    let begins = |at: usize| bytes[at - 1].is_ascii_lowercase() && bytes[at].is_ascii_uppercase();
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from;
        from = (start + 1..word.len())
            .find(|at| begins(*at))
            .unwrap_or(word.len());
        word.get(start..from).filter(|hump| !hump.is_empty())
    })
}

/// What has been found of splits on the way through the folders.
#[derive(Default)]
struct Found<'a> {
    kept: Vec<(usize, Parts<'a>)>,
    splits: Vec<(Split, &'a str)>,
    left_out: Vec<(&'a str, usize)>,
    outside: usize,
}

/// Takes away `train` and its like from the places of the pictures (sorted), wherever in the tree such folders are beside
/// each other, and with them all pictures that are in none that is for training. A sentence says what was left out.
///
/// # Errors
/// If there are splits, but none to train on.
pub fn keep_training(
    root: &str,
    pictures: &mut Vec<(usize, Parts)>,
) -> Result<Option<String>, Error> {
    let mut found = Found::default();
    found.level(root, pictures, 0, &Vec::new())?;
    *pictures = found.kept;
    if found.splits.is_empty() {
        return Ok(None);
    }
    let named = |kinds: &[Split]| {
        let names = kinds.iter().flat_map(|kind| {
            let names = found.splits.iter().filter(move |(of, _)| of == kind);
            names.map(|(_, name)| *name)
        });
        names.collect::<Vec<_>>().join(", ")
    };
    if found.outside > 0 {
        found.left_out.push(("outside of them", found.outside));
    }
    let left_out = found.left_out.iter();
    let left_out: Vec<String> = left_out
        .map(|(name, count)| format!("{name} ({})", of_pictures(*count)))
        .collect();
    Ok(Some(format!(
        "{} are splits, no classes: only the {} of {} {} trained on; left out: {}",
        named(&Split::ALL),
        of_pictures(pictures.len()),
        named(&[Split::Train]),
        if pictures.len() == 1 { "is" } else { "are" },
        left_out.join(", ")
    )))
}

impl<'a> Found<'a> {
    /// Goes through the pictures of one folder, which is `depth` folders below the root and `kept` of them.
    fn level(
        &mut self,
        root: &str,
        group: &[(usize, Parts<'a>)],
        depth: usize,
        kept: &Parts<'a>,
    ) -> Result<(), Error> {
        let folder = |parts: &Parts<'a>| (parts.len() > depth + 1).then(|| parts[depth]);
        let mut folders: Vec<&str> = group.iter().filter_map(|(_, at)| folder(at)).collect();
        folders.dedup();
        let loose = group.iter().any(|(_, at)| folder(at).is_none());
        let splits: Vec<(Split, String, &str)> = (folders.iter())
            .filter_map(|name| Split::of(name).map(|(kind, rest)| (kind, rest, *name)))
            .collect();
        // Splits are told by each other, as those that differ in nothing else.
        let is_split = |name: &str| {
            let (kind, rest, _) = splits.iter().find(|(_, _, of)| *of == name)?;
            let others = splits.iter().any(|(k, r, _)| r == rest && k != kind);
            others.then_some((*kind, rest))
        };
        let mut sets: Vec<&String> = Vec::new();
        let mut trained = false;
        for (kind, rest) in folders.iter().filter_map(|name| is_split(name)) {
            trained |= kind == Split::Train;
            if !sets.contains(&rest) {
                sets.push(rest);
            }
        }
        let named = |(_, _, name): &(Split, String, &'a str)| *name;
        if !sets.is_empty() && !trained {
            let names: Vec<&str> = splits.iter().map(named).collect();
            let parts: &[&str] = group.first().map_or(&[], |(_, at)| &at[..depth]);
            return Err(Error::input(format!(
                "{} holds the splits {}, and none to train on; give the one that is meant",
                [&[root], parts].concat().join("/"),
                names.join(" and ")
            )));
        }
        // Where the only folder is a split, it is no class either, and nothing is left out.
        let only = folders.len() == 1 && splits.len() == 1 && splits[0].1.is_empty() && !loose;
        for run in group.chunk_by(|(_, a), (_, b)| folder(a).is_some() && folder(a) == folder(b)) {
            let (index, at) = &run[0];
            let split = folder(at).and_then(is_split).map(|(kind, _)| kind);
            if let (Some(name), Some(kind)) = (folder(at), split)
                && !self.splits.contains(&(kind, name))
            {
                self.splits.push((kind, name));
            }
            let mut kept = kept.clone();
            match (folder(at), split) {
                (None, _) if sets.is_empty() => {
                    kept.push(at[depth]);
                    self.kept.push((*index, kept));
                }
                (None, _) => self.outside += run.len(),
                (Some(name), split) if split != Some(Split::Train) && !sets.is_empty() => {
                    match self.left_out.iter_mut().find(|(of, _)| *of == name) {
                        Some((_, count)) => *count += run.len(),
                        None => self.left_out.push((name, run.len())),
                    }
                }
                (Some(name), _) => {
                    // `cats_train` and `dogs_train` are classes as well
                    if sets.len() > 1 || (sets.is_empty() && !only) {
                        kept.push(name);
                    }
                    self.level(root, run, depth + 1, &kept)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_splits() {
        let of = |name: &str| Split::of(name).map(|(kind, rest)| (kind, rest.trim().to_owned()));
        let [train, validation, test] = Split::ALL;
        for (kind, rest, names) in [
            (
                train,
                "",
                &[
                    "train",
                    "Training",
                    "train2017",
                    "train_images",
                    "TrainSet",
                    "training_set",
                ][..],
            ),
            (
                validation,
                "",
                &["val", "Valid", "validation", "val2017", "dev-set", "eval"],
            ),
            (test, "", &["test", "testing", "test_images"]),
            (train, "div k hr", &["DIV2K_train_HR"]),
            (validation, "div k hr", &["DIV2K_valid_HR"]),
            (train, "seg", &["seg_train"]),
            (train, "", &["TrainImages", "trainSet", "TRAIN"]),
            (train, "a", &["trainA", "train_A"]),
            (test, "b", &["testB"]),
        ] {
            for name in names {
                assert_eq!(of(name), Some((kind, rest.to_owned())), "{name}");
            }
        }
        for name in [
            "invalid",
            "trains",
            "contest",
            "images",
            "7",
            "train-test",
            "étest",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
