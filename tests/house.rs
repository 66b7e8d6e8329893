//! Which module of `src/` may use which: the mathematics and the executors nothing of what is built on them.

use std::fs;
use std::path::{Path, PathBuf};

/// A room of `src/`, and the rooms whose names may stand in its files after `crate::`. `real`, the arithmetic that
/// twins and solvers are written in, is known to all who compute.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("real", &[]),
    ("order", &[]),
    ("json", &[]),
    ("diffusion", &["real"]),
    ("graph", &[]),
    ("ops/chain", &["graph", "real", "diffusion"]),
    ("ops", &["graph", "real"]),
    ("gpu", &["graph"]),
    ("cpu", &["graph"]),
    ("model", &["graph", "ops", "diffusion"]),
    ("picture", &["error"]),
    ("error", &["diffusion", "gpu", "graph", "model"]),
    (
        "engine",
        &[
            "diffusion",
            "graph",
            "ops",
            "gpu",
            "cpu",
            "model",
            "error",
            "real",
        ],
    ),
    (
        "train",
        &[
            "engine",
            "diffusion",
            "graph",
            "ops",
            "gpu",
            "cpu",
            "model",
            "error",
            "picture",
        ],
    ),
    (
        "web",
        &[
            "train",
            "engine",
            "diffusion",
            "graph",
            "ops",
            "gpu",
            "cpu",
            "model",
            "error",
            "picture",
        ],
    ),
];

/// Whose names may stand everywhere.
const EVERYWHERE: [&str; 2] = ["order", "json"];

/// Files that belong to no room: the list of rooms, and the command line, which is built on the library.
const OUTSIDE: [&str; 2] = ["lib.rs", "bin"];

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.push(path),
        }
    }
}

/// The rooms that a file's text names: `crate::room`, or each of `crate::{…}`; `crate::Error` is `error`'s.
fn named(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n");
    let word = |rest: &str| {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        match &rest[..end] {
            "Error" => "error".to_owned(),
            other => other.to_owned(),
        }
    };
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                let mut first = true;
                for (i, c) in list.char_indices() {
                    if first && !c.is_whitespace() {
                        rooms.push(word(&list[i..]));
                        first = false;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => first = true,
                        _ => {}
                    }
                }
            }
            None => rooms.push(word(rest)),
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let (mut wrong, mut seen) = (Vec::new(), vec![0; MAY_KNOW.len()]);
    for path in all {
        let place = path
            .strip_prefix(&source)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/");
        if OUTSIDE.iter().any(|name| place.starts_with(name)) {
            continue;
        }
        let room = MAY_KNOW.iter().position(|(room, _)| {
            place.starts_with(&format!("{room}/")) || place == format!("{room}.rs")
        });
        let Some(room) = room else {
            wrong.push(format!("{place} is in no room of this list"));
            continue;
        };
        seen[room] += 1;
        let (name, may) = MAY_KNOW[room];
        let own = name.split('/').next().unwrap();
        for other in named(&fs::read_to_string(&path).unwrap()) {
            if other != own
                && !EVERYWHERE.contains(&other.as_str())
                && !may.contains(&other.as_str())
            {
                wrong.push(format!("{place} names crate::{other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let empty = MAY_KNOW.iter().zip(seen).filter(|(_, files)| *files == 0);
    assert_eq!(
        empty.map(|((room, _), _)| room).next(),
        None,
        "an empty room"
    );
}

#[test]
fn names_are_found_wherever_they_stand() {
    let text = "use crate::graph::{Plan, lower::Call};\nuse crate::{Error, ops::{norm, loss}, gpu};\nlet x = crate::cpu::run();\n// crate::web";
    assert_eq!(named(text), ["graph", "error", "ops", "gpu", "cpu"]);
}

/// Every operation's folder has its shaders in the folder of the same name, and no shader folder is without one.
#[test]
fn shaders_mirror_operations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = |of: &str| {
        let mut names: Vec<String> = fs::read_dir(root.join(of))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(folders("src/ops"), folders("shaders"));
}

/// Files that may grow no longer, by ending: somebody new reads one in a sitting.
const LINES: &[(&str, usize)] = &[("rs", 450), ("wgsl", 150), ("js", 250)];

#[test]
fn no_file_is_too_long_to_be_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut long) = (0, Vec::new());
    for folder in [
        "src", "dense", "shaders", "tests", "www", "xtask", "profile",
    ] {
        lengths(&root.join(folder), &mut seen, &mut long);
    }
    assert!(seen > 300, "{seen} files");
    assert!(long.is_empty(), "{long:#?}");
}

fn lengths(folder: &Path, seen: &mut usize, long: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            lengths(&path, seen, long);
            continue;
        }
        let ending = path.extension().unwrap_or_default();
        let Some((_, most)) = LINES.iter().find(|(of, _)| ending == *of) else {
            continue;
        };
        *seen += 1;
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        if lines > *most {
            long.push(format!("{}: {lines} lines, of {most}", path.display()));
        }
    }
}
