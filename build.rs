//! A table of the shaders, by their paths in `shaders/`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Adds the shaders of `folder`, named from `within` on, to `paths`.
fn list(folder: &Path, within: &str, paths: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let within = format!("{within}{name}");
        if path.is_dir() {
            list(&path, &format!("{within}/"), paths)?;
        } else if path.extension().is_some_and(|e| e == "wgsl") {
            paths.push((within, path.canonicalize()?));
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=build.rs");
    let mut paths = Vec::new();
    list(Path::new("shaders"), "", &mut paths)?;
    paths.sort();
    let entries: String = paths
        .iter()
        .map(|(name, path)| format!("({name:?}, include_str!({path:?})),\n"))
        .collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("shaders.rs"), format!("&[\n{entries}]\n"))
}
