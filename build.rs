//! Copies `shaders/` to the build folder without comments, indentation and most spaces: they are for readers, and more
//! than a third of what the shaders would weigh in the browser's download.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Around these no space is needed. (A minus may stand before another.)
const TIGHT: [&str; 16] = [
    "=", "+", "*", "/", "<", ">", "==", "!=", "<=", ">=", "&&", "||", "+=", "*=", "->", "{",
];

fn strip(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code).trim());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| format!("{}\n", tighten(line)))
        .collect()
}

/// A line of WGSL with fewer spaces; those of the preprocessor's lines stay.
fn tighten(line: &str) -> String {
    let mut line = line.to_owned();
    if !line.starts_with('#') {
        for sign in TIGHT {
            line = line.replace(&format!(" {sign} "), sign);
        }
        for sign in [",", ";", ":"] {
            line = line.replace(&format!("{sign} "), sign);
        }
        line = line.replace(" {", "{");
    }
    line
}

/// Copies the shaders of `from`, and adds their paths within `shaders/` to `paths`.
fn copy(from: &Path, to: &Path, within: &str, paths: &mut Vec<String>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = to.join(&*name);
        let within = format!("{within}{name}");
        if path.is_dir() {
            copy(&path, &target, &format!("{within}/"), paths)?;
        } else if path.extension().is_some_and(|e| e == "wgsl") {
            fs::write(target, strip(&fs::read_to_string(&path)?))?;
            paths.push(within);
        }
    }
    Ok(())
}

/// Rust's text of a table from each path to its shader, for `#include`.
fn table(paths: &[String]) -> String {
    let entry = |path| {
        format!("({path:?}, include_str!(concat!(env!(\"OUT_DIR\"), \"/shaders/{path}\"))),\n")
    };
    let entries: String = paths.iter().map(entry).collect();
    format!("&[\n{entries}]\n")
}

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut paths = Vec::new();
    copy(Path::new("shaders"), &out.join("shaders"), "", &mut paths)?;
    paths.sort();
    fs::write(out.join("shaders.rs"), table(&paths))
}
