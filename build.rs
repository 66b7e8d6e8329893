//! A table of the shaders, by their paths in `shaders/`. The page's module has none: they are a file beside it (`cargo xtask
//! build`), which only visitors with a GPU fetch.

use std::fmt::Write as _;
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
    println!("cargo::rerun-if-changed=build.rs");
    let mut paths = Vec::new();
    if env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch != "wasm32") {
        println!("cargo::rerun-if-changed=shaders");
        list(Path::new("shaders"), "", &mut paths)?;
        paths.sort();
    }
    let mut entries = String::new();
    for (name, path) in &paths {
        let text = fs::read_to_string(path)?;
        writeln!(entries, "({name:?}, {text:?}),").map_err(io::Error::other)?;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("shaders.rs"), format!("&[\n{entries}]\n"))
}
