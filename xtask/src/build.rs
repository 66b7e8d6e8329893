//! From sources to `dist/`: the engine as WebAssembly in `dist/wasm/`, beside what `www/` holds.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use flate2::{Compression, write::GzEncoder};
use walkdir::WalkDir;
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{command, run};
use crate::tools;

/// Notices that copies of the page and of the engine have to carry.
pub const NOTICES: [&str; 3] = ["LICENSE-MIT", "LICENSE-APACHE", "NOTICE"];

/// Modules of npm packages that the page loads when they are first used, with their types, and licences: from
/// `node_modules/` to `vendor/` of the page.
const VENDORED: [(&str, &str); 8] = [
    ("fflate/esm/browser.js", "fflate.js"),
    ("fflate/esm/browser.d.ts", "fflate.d.ts"),
    ("fflate/LICENSE", "fflate.LICENSE"),
    ("gifenc/dist/gifenc.esm.js", "gifenc.js"),
    ("gifenc/LICENSE.md", "gifenc.LICENSE"),
    ("@fontsource-variable/inter/LICENSE", "Inter.LICENSE"),
    (
        "@fontsource-variable/stix-two-text/LICENSE",
        "STIX-Two-Text.LICENSE",
    ),
    ("@fontsource/stix-two-math/LICENSE", "STIX-Two-Math.LICENSE"),
];

/// The modules that the page has, with the features of each: the engine, and the reader of arrays, which is fetched when there are files to train on.
const MODULES: [(&str, &str); 2] = [("arrays", "arrays"), ("pollen", "engine")];

/// What rustc uses of WebAssembly by itself, and the 128-bit vectors of `.cargo/config.toml`.
const WASM_FEATURES: [&str; 8] = [
    "bulk-memory",
    "multivalue",
    "mutable-globals",
    "nontrapping-float-to-int",
    "reference-types",
    "sign-ext",
    "simd",
    "extended-const",
];

/// A finished build.
pub struct Built {
    /// The folder with the static files.
    pub dist: PathBuf,
    /// Whether wasm-opt was run on the WebAssembly.
    pub optimised: bool,
}

impl Built {
    /// Bytes of a module's WebAssembly as hosts send it, gzipped.
    pub fn gzipped_wasm(&self, module: &str) -> Result<usize> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&fs::read(self.dist.join(format!("wasm/{module}_bg.wasm")))?)?;
        Ok(encoder.finish()?.len())
    }
}

/// Builds everything and replaces `dist/`.
pub fn build(root: &Path) -> Result<Built> {
    let dist = root.join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)
            .with_context(|| format!("{} cannot be replaced", dist.display()))?;
    }
    build_into(root, &dist)
}

/// Builds everything into the folder `dist`.
pub fn build_into(root: &Path, dist: &Path) -> Result<Built> {
    tools::wasm_target(root)?;
    copy(&root.join("www"), dist)?;
    for name in NOTICES {
        copy(&root.join(name), &dist.join(name))?;
    }
    vendor(root, &dist.join("vendor"))?;
    let bindings = dist.join("wasm");
    for module in MODULES {
        bind(root, module, &bindings)?;
    }
    fs::write(
        bindings.join("shaders.json"),
        shaders(&root.join("shaders"))?,
    )?;
    let mut optimised = true;
    for (name, _) in MODULES {
        optimised &= optimise(root, &bindings.join(format!("{name}_bg.wasm")))?;
    }
    relaxed(root, &bindings.join("relaxed.wasm"))?;
    finish(root, dist)?;
    offline(dist)?;
    let built = Built {
        dist: dist.to_owned(),
        optimised,
    };
    println!(
        "WebAssembly: {} bytes gzipped, the reader of arrays {}",
        built.gzipped_wasm("pollen")?,
        built.gzipped_wasm("arrays")?
    );
    Ok(built)
}

/// Compiles one of [`MODULES`] into `folder`, with its bindings.
fn bind(root: &Path, (name, features): (&str, &str), folder: &Path) -> Result<()> {
    let module = compile(root, features)?;
    Bindgen::new()
        .input_path(&module)
        .out_name(name)
        .web(true)
        .map_err(|error| anyhow!(error))?
        .typescript(true)
        .omit_default_module_path(false)
        // wasm-opt puts the functions into the order of their names, for gzip, and drops the names then.
        .remove_name_section(false)
        .remove_producers_section(true)
        .generate(folder)
        .map_err(|error| anyhow!(error))
        .context("the bindings between WebAssembly and JavaScript cannot be made")
}

/// Copies [`VENDORED`] into `folder`.
fn vendor(root: &Path, folder: &Path) -> Result<()> {
    tools::npm_packages(root).context("the page's npm packages cannot be had")?;
    fs::create_dir_all(folder)?;
    for (from, to) in VENDORED {
        copy(&root.join("node_modules").join(from), &folder.join(to))?;
    }
    Ok(())
}

/// Adds the page's fonts, and makes its scripts and styles smaller.
fn finish(root: &Path, dist: &Path) -> Result<()> {
    run(command("node", root)?.arg("xtask/page.mjs").arg(dist))
        .context("the page's fonts and scripts cannot be made")
}

/// Lists the page's files but for the models in `offline.json`, and names the release in `sw.js`, which keeps them in the
/// browser, by a hash of all of them.
fn offline(dist: &Path) -> Result<()> {
    let mut files = Vec::new();
    list(dist, dist, &mut files)?;
    files.retain(|name| !name.starts_with("models/") || name == "models/index.json");
    files.retain(|name| name != "sw.js" && !name.ends_with(".d.ts"));
    files.sort();
    let mut hash = DefaultHasher::new();
    for name in &files {
        name.hash(&mut hash);
        fs::read(dist.join(name))?.hash(&mut hash);
    }
    fs::write(
        dist.join("offline.json"),
        serde_json::to_string_pretty(&files)?,
    )?;
    let worker = fs::read_to_string(dist.join("sw.js"))?;
    let named = worker.replace("VERSION", &format!("{:016x}", hash.finish()));
    Ok(fs::write(dist.join("sw.js"), named)?)
}

/// The files in `folder`, named from `top` on with slashes.
fn list(top: &Path, folder: &Path, into: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(top, &path, into)?;
        } else {
            let name = path.strip_prefix(top)?.to_string_lossy();
            into.push(name.replace('\\', "/"));
        }
    }
    Ok(())
}

/// The library compiled for browsers with these features, without bindings.
fn compile(root: &Path, features: &str) -> Result<PathBuf> {
    let mut cargo = tools::cargo(root);
    cargo.args([
        "build",
        "--lib",
        "--profile",
        "web",
        "--target",
        tools::WASM_TARGET,
        "--no-default-features",
        "--features",
        features,
    ]);
    cargo.arg("--config").arg(short_paths());
    run(&mut cargo)?;
    Ok(tools::target_folder(root)?
        .join(tools::WASM_TARGET)
        .join("web/pollen.wasm"))
}

/// The inner loop of products with relaxed SIMD, which computes in the engine's memory, as `to`.
fn relaxed(root: &Path, to: &Path) -> Result<()> {
    let mut cargo = tools::cargo(root);
    cargo.args(["rustc", "--package", "pollen-dense", "--lib"]);
    cargo.args(["--crate-type", "cdylib", "--profile", "web"]);
    cargo.args(["--target", tools::WASM_TARGET, "--"]);
    cargo.args([
        "-Ctarget-feature=+relaxed-simd",
        "-Clink-arg=--import-memory",
        // It has no room for a stack there: what needs one fails, instead of writing over the engine's numbers.
        "-Clink-arg=-zstack-size=0",
    ]);
    run(&mut cargo)?;
    let built = tools::target_folder(root)?
        .join(tools::WASM_TARGET)
        .join("web/pollen_dense.wasm");
    copy(&built, to)
}

/// The shaders of `folder` as one JSON object of texts by their paths there, without indentation and whole-line comments.
fn shaders(folder: &Path) -> Result<String> {
    let mut texts = BTreeMap::new();
    for entry in WalkDir::new(folder) {
        let path = entry?.into_path();
        if path.extension() != Some(OsStr::new("wgsl")) {
            continue;
        }
        let name = path.strip_prefix(folder)?.with_extension("");
        // Paths are written with slashes in shaders and kernels, on Windows too.
        let name = name.to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path)?;
        let lines = text.lines().map(str::trim);
        let bare = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        texts.insert(name, bare.flat_map(|line| [line, "\n"]).collect::<String>());
    }
    Ok(serde_json::to_string(&texts)?)
}

/// Adds flags to those of `.cargo/config.toml` that keep the builder's folders out of panic messages, which are part of
/// the module: a crate's files are named from its own folder on.
fn short_paths() -> String {
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = home
        .and_then(|home| fs::read_dir(home.join("registry/src")).ok())
        .into_iter()
        .flatten()
        .flatten();
    let flags =
        registries.map(|registry| format!("'--remap-path-prefix={}/='", registry.path().display()));
    format!(
        "target.{}.rustflags=[{}]",
        tools::WASM_TARGET,
        flags.collect::<Vec<_>>().join(",")
    )
}

/// Runs wasm-opt over `module`: npm's, or one on PATH where that cannot be had. False where there is none that takes the module.
fn optimise(root: &Path, module: &Path) -> Result<bool> {
    let npm = tools::npm_packages(root).and_then(|()| {
        let mut node = command("node", root)?;
        node.arg("node_modules/binaryen/bin/wasm-opt");
        Ok(node)
    });
    let smaller = module.with_extension("opt");
    for candidate in [npm, command("wasm-opt", root)] {
        let done = candidate.and_then(|mut wasm_opt| {
            wasm_opt.args([
                "-Oz",
                "--flatten",
                "--rereloop",
                "-Oz",
                "--converge",
                "--strip-producers",
                "--strip-target-features",
                "--reorder-functions-by-name",
            ]);
            // True of what rustc links: nothing but the end of the stack lies so low, and the memory is the module's own.
            wasm_opt.args(["--low-memory-unused", "--zero-filled-memory"]);
            wasm_opt.args(WASM_FEATURES.map(|feature| format!("--enable-{feature}")));
            run(wasm_opt.arg(module).arg("-o").arg(&smaller))
        });
        match done {
            Ok(()) => {
                fs::rename(&smaller, module)?;
                return Ok(true);
            }
            Err(error) => eprintln!("{error:#}"),
        }
    }
    eprintln!(
        "warning: built without wasm-opt, so the page is larger than it need be; Node and npm would bring it"
    );
    Ok(false)
}

/// Copies a file, or a folder with all that is in it except hidden files.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    ensure!(from.exists(), "{} is missing", from.display());
    if from.is_file() {
        fs::copy(from, to)
            .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
        return Ok(());
    }
    fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if !is_hidden(&name) {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{output, scratch::Scratch};

    #[test]
    fn folders_are_copied_without_hidden_files() {
        let folder = Scratch::new("copy");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("models/mnist")).unwrap();
        fs::write(from.join("models/mnist/config.json"), "{}").unwrap();
        fs::write(from.join(".swp"), "").unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(
            fs::read_to_string(to.join("models/mnist/config.json")).unwrap(),
            "{}"
        );
        assert!(!to.join(".swp").exists());
        assert!(copy(&folder.path().join("nowhere"), &to).is_err());
    }

    #[test]
    fn the_page_lists_what_it_needs_offline() {
        let dist = Scratch::new("offline");
        for (name, text) in [
            ("index.html", "page"),
            ("ui/a.js", "1"),
            ("models/index.json", "[]"),
            ("models/a/weights", "…"),
            ("sw.js", "'pollen-VERSION'"),
        ] {
            let path = dist.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let made = || {
            offline(dist.path()).unwrap();
            let worker = fs::read_to_string(dist.path().join("sw.js")).unwrap();
            fs::write(dist.path().join("sw.js"), "'pollen-VERSION'").unwrap();
            let list = fs::read_to_string(dist.path().join("offline.json")).unwrap();
            fs::remove_file(dist.path().join("offline.json")).unwrap();
            let list: Vec<String> = serde_json::from_str(&list).unwrap();
            (worker, list)
        };
        let (first, list) = made();
        assert_eq!(list, ["index.html", "models/index.json", "ui/a.js"]);
        assert_eq!(made().0, first);
        fs::write(dist.path().join("ui/a.js"), "2").unwrap();
        assert_ne!(made().0, first);
        assert!(!first.contains("VERSION"));
    }

    #[test]
    fn the_page_says_which_release_it_is() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let page = fs::read_to_string(root.join("www/index.html")).unwrap();
        let said = concat!("content=\"Pollen ", env!("CARGO_PKG_VERSION"), "\"");
        assert!(page.contains(said), "{said}");
    }

    #[test]
    fn the_notice_names_every_package_that_the_page_loads() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let notice = fs::read_to_string(root.join("NOTICE")).unwrap();
        for (from, _) in VENDORED {
            // The name of a scoped package has a slash.
            let parts = 1 + usize::from(from.starts_with('@'));
            let package = from.split('/').take(parts).collect::<Vec<_>>().join("/");
            assert!(notice.contains(&format!("    {package} ")), "{package}");
        }
    }

    #[test]
    fn the_notice_names_every_crate_in_the_webassembly() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut tree = tools::cargo(root);
        tree.args("tree --locked --package pollen --edges normal,no-proc-macro".split(' '));
        tree.args([
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--target",
            tools::WASM_TARGET,
        ]);
        let notice = fs::read_to_string(root.join("NOTICE")).unwrap();
        let named: Vec<_> = notice.split([',', ' ', '\n']).collect();
        let tree = output(&mut tree).unwrap();
        let crates = tree.lines().filter_map(|line| line.split(' ').next());
        let missing: Vec<_> = crates
            .filter(|name| !name.starts_with("pollen") && !named.contains(name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
