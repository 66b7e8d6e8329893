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

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else if path.extension().is_some_and(|e| e == "wgsl") {
            fs::write(target, strip(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    copy(Path::new("shaders"), &out.join("shaders"))
}
