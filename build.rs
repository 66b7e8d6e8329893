//! Copies `shaders/` to the build folder without comments and indentation: their headers are for readers, and a third
//! of what they would weigh in the browser's download.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn strip(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code).trim());
    lines
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect()
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
