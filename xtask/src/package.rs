//! The npm package for other people's pages: `packages/pollen/` with the page's own API, Worker and WebAssembly in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::build::{NOTICES, copy};
use crate::process::{command, output};

/// What the package begins with in `www/`; what these import comes along.
const ENTRIES: [&str; 3] = ["api/engine.js", "worker/worker.js", "api/types.d.ts"];

/// What surrounds the names of other files in a module, as it is written in `www/` and as the bindings are minified.
const IMPORTS: [(&str, &str); 8] = [
    ("from '", "'"),
    ("from\"", "\""),
    ("import('", "')"),
    ("import(\"", "\")"),
    ("new URL('", "', import.meta.url)"),
    ("new URL(\"", "\",import.meta.url)"),
    ("import '", "'"),
    ("import\"", "\""),
];

/// Puts the files that `packages/pollen/` needs into its `engine/`: as they are written in `www/`, for those who read or debug
/// them, and what a build made from `dist/`.
pub fn assemble(root: &Path) -> Result<PathBuf> {
    let from = ["www", "dist"].map(|folder| root.join(folder));
    let package = root.join("packages/pollen");
    let engine = package.join("engine");
    if engine.exists() {
        fs::remove_dir_all(&engine)
            .with_context(|| format!("{} cannot be replaced", engine.display()))?;
    }
    for (file, path) in closure(&from)? {
        let to = engine.join(&file);
        fs::create_dir_all(to.parent().unwrap_or(&engine))?;
        copy(&path, &to)?;
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

/// The files that [`ENTRIES`] need, themselves included, each with the place in the first of the folders that has it.
fn closure(folders: &[PathBuf]) -> Result<BTreeMap<PathBuf, PathBuf>> {
    let place = |file: &Path| {
        let places = folders.iter().map(|folder| folder.join(file));
        places.into_iter().find(|path| path.is_file())
    };
    let mut found = BTreeMap::new();
    let mut open: Vec<PathBuf> = ENTRIES.map(PathBuf::from).into();
    while let Some(mut file) = open.pop() {
        // What only types are taken of may be declarations alone.
        let types = file.with_extension("d.ts");
        if place(&file).is_none() && place(&types).is_some() {
            file = types;
        }
        let path = place(&file).with_context(|| format!("{} is missing", file.display()))?;
        if found.insert(file.clone(), path.clone()).is_some() {
            continue;
        }
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
        IMPORTS.iter().flat_map(move |(before, after)| {
            line.match_indices(before).filter_map(move |(at, _)| {
                let (name, _) = line[at + before.len()..].split_once(after)?;
                (!name.contains(['\'', '"']) && name.contains('.')).then_some(name)
            })
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
        let minified = "import{a}from\"./a.js\";import{b}from\"./b.js\";await import(\"./c.js\");\
                        new URL(\"d.wasm\",import.meta.url);new URL(\"x\",location);";
        let found: Vec<_> = imports(minified).collect();
        assert_eq!(found, ["./a.js", "./b.js", "./c.js", "d.wasm"]);
        assert_eq!(
            normal(Path::new("api/../files/./x.js")),
            Path::new("files/x.js")
        );
    }

    #[test]
    fn the_engine_brings_its_files_and_not_the_page() {
        let www = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../www"));
        let error = closure(&[www.to_owned()]).unwrap_err().to_string();
        // All but what a build makes is there.
        assert!(error.contains("wasm"), "{error}");
    }
}
