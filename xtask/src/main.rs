//! `cargo xtask build`, `serve`, `package`, `profile`, `bench` and `test`: everything between the sources and a page that runs.

mod bench;
mod build;
mod failures;
mod package;
mod process;
mod reload;
mod serve;
mod shaders;
mod test;
mod tools;
mod trunk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, serves and tests Pollen")]
enum Task {
    /// Leave the page as static files with relative URLs in dist/, ready for any host
    Build,
    /// Put the engine into packages/pollen/, for `npm pack` there
    Package,
    /// Build the page, serve it on this machine and open it in the browser; what is saved in www/ and shaders/ is taken up
    Serve {
        /// Port to listen on [default: 8080, or the next free one]
        #[arg(long)]
        port: Option<u16>,
        /// Only print the address
        #[arg(long)]
        no_open: bool,
    },
    /// What a GPU's compiler makes of a model's kernels, and what a step would take there, without the GPU: MODEL [--batch N]
    /// [--train]
    #[command(disable_help_flag = true)]
    Profile {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Time the same weights on Pollen, onnxruntime-web and TensorFlow.js in one Chromium, and write that into docs/benchmarks.md
    Bench(bench::Options),
    /// Trunk's hook, see Trunk.toml
    #[command(hide = true)]
    Trunk,
    /// Check formatting, run clippy and all tests; the last line is `N passed, M failed`
    Test {
        /// Run only these suites
        #[arg(value_enum)]
        suites: Vec<test::Suite>,
    },
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the task succeeded; an error is one that the task has not reported itself.
fn run(task: Task) -> Result<bool> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .canonicalize()
        .context("the repository that this xtask was built from is gone")?;
    match task {
        Task::Build => {
            let built = build::build(&root)?;
            println!("The page is in {}", built.dist.display());
            Ok(true)
        }
        Task::Package => {
            build::build(&root)?;
            let package = package::assemble(&root)?;
            println!("The package is in {}", package.display());
            Ok(true)
        }
        Task::Serve { port, no_open } => {
            let listener = serve::choose(port)?;
            let built = build::build(&root)?;
            let sources = reload::Sources::watch(&root, &built.dist);
            serve::serve(&built.dist, listener, sources, !no_open)?;
            Ok(true)
        }
        Task::Profile { arguments } => {
            let mut profile = tools::cargo(&root);
            profile.current_dir(std::env::current_dir()?);
            profile.args(["run", "--quiet", "--package", "pollen-profile", "--"]);
            process::run(profile.args(arguments)).map(|()| true)
        }
        Task::Bench(options) => bench::bench(&root, &options).map(|()| true),
        Task::Trunk => trunk::stage(&root).map(|()| true),
        Task::Test { suites } => Ok(test::test(&root, &suites)),
    }
}
