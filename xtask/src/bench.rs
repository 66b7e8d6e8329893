//! `cargo xtask bench`: the same weights on Pollen and on what else runs them in a browser, in turns in one Chromium, written down
//! in docs/benchmarks.md. The browser's part is tests/outside/bench/.

mod figures;
mod report;
mod training;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use crate::process::{command, output, run};
use crate::{build, serve, tools};

/// Where the browser's part is, from the root on.
const SOURCES: &str = "tests/outside/bench";

/// What the export to ONNX imports; tests/outside/bench/requirements.txt pins it.
const IMPORTS: &str = "import torch, diffusers, onnx, onnxscript";

#[derive(Args)]
pub struct Options {
    /// Models of www/models to run; growth is measured on the first
    #[arg(long, value_delimiter = ',', default_value = "mnist")]
    models: Vec<String>,
    /// Rounds of every engine; 3 at most on a software adapter
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// Chromium's own adapter in software, SwiftShader, in place of this machine's
    #[arg(long)]
    software: bool,
    /// Leave out how times grow with the picture and the batch
    #[arg(long)]
    no_growth: bool,
    /// A step of training beside TensorFlow.js in place of all else
    #[arg(long)]
    training: bool,
    /// A sentence about this machine for the document
    #[arg(long)]
    note: Option<String>,
    /// Print the section and leave docs/benchmarks.md as it is
    #[arg(long)]
    dry_run: bool,
}

/// Builds, installs, exports, measures and writes.
pub fn bench(root: &Path, options: &Options) -> Result<()> {
    for model in &options.models {
        let folder = root.join("www/models").join(model);
        ensure!(
            folder.join("config.json").is_file(),
            "{} has no config.json; --models takes names of folders in www/models",
            folder.display()
        );
    }
    let chromium =
        tools::chromium().context("no Chromium is found; its path goes into POLLEN_CHROMIUM")?;
    let folder = tools::target_folder(root)?.join("bench");
    install(root, &folder)?;
    if !options.training {
        export(root, &folder, options)?;
    }
    let built = build::build(root)?;
    let plan = json!({
        "url": serve::start(&built.dist, serve::listen(0)?)?,
        "chromium": chromium,
        "folder": folder,
        "adapter": if options.software { "software" } else { "own" },
        "models": options.models,
        "repeats": options.repeats,
        "growth": !options.no_growth,
        "training": options.training,
    });
    let mut node = command("node", root)?;
    node.arg(format!("{SOURCES}/bench.mjs"));
    run(node.env("POLLEN_BENCH", plan.to_string()))?;
    let measured = folder.join("result.json");
    let measured: report::Measured = serde_json::from_str(&fs::read_to_string(&measured)?)
        .with_context(|| format!("{} is not as it should be", measured.display()))?;
    let (versions, note) = (versions(&folder)?, options.note.as_deref());
    let (marks, section) = match options.training {
        true => (
            training::MARKS,
            training::section(&measured, &versions, note)?,
        ),
        false => (report::MARKS, report::section(&measured, &versions, note)),
    };
    println!("\n{section}");
    if !options.dry_run {
        let document = root.join("docs/benchmarks.md");
        let text = fs::read_to_string(&document)?;
        let text = report::replaced(&text, &section, marks)
            .with_context(|| format!("{} cannot be written", document.display()))?;
        fs::write(&document, text)?;
        println!("It is in {}", document.display());
    }
    Ok(())
}

/// The other engines, of the lock file in [`SOURCES`], in `folder`.
fn install(root: &Path, folder: &Path) -> Result<()> {
    tools::npm_packages(root)?;
    fs::create_dir_all(folder.join("onnx"))?;
    for name in ["package.json", "package-lock.json"] {
        let (from, to) = (root.join(SOURCES).join(name), folder.join(name));
        // A copy is newer than what is installed.
        if fs::read(&from)? != fs::read(&to).unwrap_or_default() {
            fs::copy(&from, &to)?;
        }
    }
    tools::npm_packages(folder).context("the other engines' npm packages cannot be had")
}

/// Each model as ONNX in `folder`, and the first for any size where growth is asked for.
fn export(root: &Path, folder: &Path, options: &Options) -> Result<()> {
    let script = root.join(SOURCES).join("export.py");
    let mut wanted: Vec<_> = options.models.iter().map(|name| (name, false)).collect();
    wanted.extend(
        options
            .models
            .first()
            .filter(|_| !options.no_growth)
            .map(|name| (name, true)),
    );
    let mut python = None;
    for (name, any) in wanted {
        let model = root.join("www/models").join(name);
        let ending = if any { "-any" } else { "" };
        let graph = folder.join("onnx").join(format!("{name}{ending}.onnx"));
        let weights = model.join("diffusion_pytorch_model.safetensors");
        let modified = |path: &Path| path.metadata().and_then(|meta| meta.modified());
        if let Ok(exported) = modified(&graph)
            && modified(&weights)? <= exported
            && modified(&script)? <= exported
        {
            continue;
        }
        let python = match &python {
            Some(python) => python,
            None => python.insert(interpreter(root)?),
        };
        let mut export = command(python, root)?;
        export.arg(&script).arg(&model).arg(&graph);
        if any {
            export.arg("--any");
        }
        run(&mut export)?;
    }
    Ok(())
}

/// A Python that has what the export needs: POLLEN_PYTHON, training/.venv's or the one on PATH.
fn interpreter(root: &Path) -> Result<String> {
    let own = ["bin/python", "Scripts/python.exe"]
        .iter()
        .map(|path| root.join("training/.venv").join(path))
        .find(|path| path.exists());
    let named = env::var_os("POLLEN_PYTHON").map(PathBuf::from).or(own);
    let python = named.unwrap_or_else(|| "python3".into());
    let python = python.to_string_lossy().into_owned();
    let needs = format!(
        "the export to ONNX needs a Python with PyTorch, diffusers, onnx and onnxscript, which {python} is not: run `python -m pip install -r {SOURCES}/requirements.txt` and name that Python in POLLEN_PYTHON"
    );
    let mut check = command(&python, root).context(needs.clone())?;
    output(check.args(["-c", IMPORTS])).context(needs)?;
    Ok(python)
}

/// The names and versions of the engines installed in `folder`.
fn versions(folder: &Path) -> Result<Vec<String>> {
    let packages = [
        ("onnxruntime-web", "onnxruntime-web"),
        ("TensorFlow.js", "@tensorflow/tfjs-core"),
    ];
    packages
        .iter()
        .map(|(shown, package)| {
            let path = folder
                .join("node_modules")
                .join(package)
                .join("package.json");
            let about: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
            let version = about["version"].as_str();
            let version =
                version.with_context(|| format!("{} names no version", path.display()))?;
            Ok(format!("{shown} {version}"))
        })
        .collect()
}
