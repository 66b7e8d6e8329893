//! The npm package for other people's pages: `packages/pollen/` with the page's own API, Worker and WebAssembly in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::build::{NOTICES, copy};
use crate::process::{command, output};

/// What the package begins with in `www/`; what these import comes along.
const ENTRIES: [&str; 3] = ["api/engine.js", "worker/worker.js", "api/types.d.ts"];

/// What surrounds the names of other files in a module, as it is written and as it is minified.
const IMPORTS: [(&str, &str); 8] = [
    ("from\"", "\""),
    ("import(\"", "\")"),
    ("new URL(\"", "\",import.meta.url)"),
    ("import\"", "\""),
    ("from '", "'"),
    ("import('", "')"),
    ("new URL('", "', import.meta.url)"),
    ("import '", "'"),
];

/// Puts the files that `packages/pollen/` needs from the page that was built in `dist/` into its `engine/`.
pub fn assemble(root: &Path) -> Result<PathBuf> {
    let dist = root.join("dist");
    let package = root.join("packages/pollen");
    let engine = package.join("engine");
    if engine.exists() {
        fs::remove_dir_all(&engine)
            .with_context(|| format!("{} cannot be replaced", engine.display()))?;
    }
    for file in closure(&dist)? {
        let to = engine.join(&file);
        fs::create_dir_all(to.parent().unwrap_or(&engine))?;
        copy(&dist.join(&file), &to)?;
    }
    for name in NOTICES {
        copy(&root.join(name), &package.join(name))?;
    }
    Ok(package)
}

/// The package as a tarball in `folder`. npm's own checks run, its `prepack` not: that is for whoever types `npm pack`.
pub fn pack(package: &Path, folder: &Path) -> Result<PathBuf> {
    let mut npm = command("npm", package)?;
    npm.args(["pack", "--ignore-scripts", "--silent", "--pack-destination"]);
    let printed = output(npm.arg(folder))?;
    let name = printed.trim().lines().last().context("npm names no file")?;
    Ok(folder.join(name))
}

/// The files of `www` that [`ENTRIES`] need, themselves included.
fn closure(www: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut open: Vec<PathBuf> = ENTRIES.map(PathBuf::from).into();
    while let Some(mut file) = open.pop() {
        // What only types are taken of may be declarations alone.
        let types = file.with_extension("d.ts");
        if !www.join(&file).is_file() && www.join(&types).is_file() {
            file = types;
        }
        if !found.insert(file.clone()) {
            continue;
        }
        let path = www.join(&file);
        ensure!(path.is_file(), "{} is missing", path.display());
        if file.extension().is_some_and(|e| e == "js") {
            let text = fs::read_to_string(&path)?;
            let folder = file.parent().unwrap_or(Path::new(""));
            open.extend(imports(&text).map(|name| normal(&folder.join(name))));
        }
    }
    Ok(found)
}

/// The relative names of other files in a module's text.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/']));
    code.flat_map(|line| {
        IMPORTS.iter().filter_map(move |(before, after)| {
            let (_, rest) = line.split_once(before)?;
            let (name, _) = rest.split_once(after)?;
            (!name.contains('\'') && name.contains('.')).then_some(name)
        })
    })
}

/// `a/../b` as `b`.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(part) => parts.push(part),
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_of_every_kind_are_found() {
        let text = "// from './not.js'\nimport { a } from './a.js';\nconst b = await import('../b/b.js');\n\
                    new URL('c.wasm', import.meta.url); new URL('x', location);\nimport './d.js';\n";
        let found: Vec<_> = imports(text).collect();
        assert_eq!(found, ["./a.js", "../b/b.js", "c.wasm", "./d.js"]);
        assert_eq!(
            normal(Path::new("api/../files/./x.js")),
            Path::new("files/x.js")
        );
    }

    #[test]
    fn the_engine_brings_its_files_and_not_the_page() {
        let www = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../www"));
        let error = closure(www).unwrap_err().to_string();
        // All but what a build makes is there.
        assert!(error.contains("wasm"), "{error}");
    }
}
