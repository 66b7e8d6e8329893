//! Folders that are splits of a data set: only what is for training is trained on.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{Parts, of_pictures};
use crate::Error;

/// What a folder's name says that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Split {
    Train,
    Validation,
    Test,
}

/// Words beside the split's own in folders' names: `train_images`, `test set`, `val2017`.
const BESIDE: [&str; 9] = [
    "data", "dataset", "image", "images", "img", "imgs", "pictures", "set", "split",
];

impl Split {
    fn of(folder: &str) -> Option<Self> {
        let name = folder.to_lowercase();
        let words = name.split(|c: char| !c.is_alphabetic());
        let mut words = words.filter(|word| !word.is_empty() && !BESIDE.contains(word));
        let word = words.next().filter(|_| words.next().is_none())?;
        match word.strip_suffix("set").unwrap_or(word) {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" | "dev" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

/// Takes away `train` and its like from the places of the pictures, wherever in the tree such folders are beside each
/// other, and with them all pictures that are in none that is for training. A sentence says what was left out.
///
/// # Errors
/// If there are splits, but none to train on.
pub fn keep_training(
    root: &str,
    pictures: &mut Vec<(usize, Parts)>,
) -> Result<Option<String>, Error> {
    let mut inside: BTreeMap<Parts, BTreeSet<&str>> = BTreeMap::new();
    let mut loose: BTreeSet<Parts> = BTreeSet::new();
    for (_, parts) in pictures.iter() {
        loose.insert(parts[..parts.len() - 1].to_vec());
        for depth in 0..parts.len() - 1 {
            let folders = inside.entry(parts[..depth].to_vec()).or_default();
            folders.insert(parts[depth]);
        }
    }
    let mut names = BTreeSet::new();
    // `false` where the only folder is a split: it is no class, and nothing is left out.
    let mut parents: BTreeMap<Parts, bool> = BTreeMap::new();
    for (parent, folders) in inside {
        let splits = folders
            .iter()
            .filter_map(|name| Some((Split::of(name)?, *name)));
        let splits: Vec<(Split, &str)> = splits.collect();
        let kinds: BTreeSet<Split> = splits.iter().map(|(kind, _)| *kind).collect();
        if kinds.len() == 1 && folders.len() == 1 && !loose.contains(&parent) {
            parents.insert(parent, false);
        } else if kinds.len() > 1 {
            let listed: Vec<&str> = splits.iter().map(|(_, name)| *name).collect();
            if !kinds.contains(&Split::Train) {
                let mut shown = vec![root];
                shown.extend(parent);
                return Err(Error::input(format!(
                    "{} holds the splits {}, and none to train on; give the one that is meant",
                    shown.join("/"),
                    listed.join(" and ")
                )));
            }
            names.extend(splits);
            parents.insert(parent, true);
        }
    }
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    pictures.retain_mut(|(_, parts)| {
        let mut depth = 0;
        let mut above = Vec::new();
        while depth < parts.len() {
            let here = parts[depth];
            match parents.get(&above) {
                Some(true) if depth == parts.len() - 1 => {
                    *left_out.entry("outside of them").or_default() += 1;
                    return false;
                }
                Some(true) if Split::of(here) != Some(Split::Train) => {
                    *left_out.entry(here).or_default() += 1;
                    return false;
                }
                Some(_) if depth < parts.len() - 1 => {
                    parts.remove(depth);
                }
                _ => depth += 1,
            }
            above.push(here);
        }
        true
    });
    if names.is_empty() {
        return Ok(None);
    }
    let kept = names.iter().filter(|(kind, _)| *kind == Split::Train);
    let kept: Vec<&str> = kept.map(|(_, name)| *name).collect();
    let names: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
    let left_out: Vec<String> = left_out
        .iter()
        .map(|(name, count)| format!("{name} ({})", of_pictures(*count)))
        .collect();
    Ok(Some(format!(
        "{} are splits, no classes: only {} of {} trained on; left out: {}",
        names.join(", "),
        match pictures.len() {
            1 => "the 1 picture".to_owned(),
            count => format!("the {count} pictures"),
        },
        match pictures.len() {
            1 => format!("{} is", kept.join(" and ")),
            _ => format!("{} are", kept.join(" and ")),
        },
        left_out.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_splits() {
        let train = Some(Split::Train);
        for name in [
            "train",
            "Training",
            "train2017",
            "train_images",
            "TrainSet",
            "training_set",
        ] {
            assert_eq!(Split::of(name), train, "{name}");
        }
        for name in ["val", "Valid", "validation", "val2017", "dev-set"] {
            assert_eq!(Split::of(name), Some(Split::Validation), "{name}");
        }
        for name in ["test", "testing", "test_images"] {
            assert_eq!(Split::of(name), Some(Split::Test), "{name}");
        }
        for name in ["invalid", "trains", "steam train", "contest", "images", "7"] {
            assert_eq!(Split::of(name), None, "{name}");
        }
    }
}
