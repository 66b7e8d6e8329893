//! `cargo xtask profile MODEL [--batch N] [--train] [--class CLASS]`: what a GPU's compiler makes of every kernel of a step, and what the
//! step would take there.
//!
//! The kernels go through naga, and through Tint where that is installed; RADV compiles the SPIR-V for a GPU that need not
//! be there; each loop's trips are counted by running the kernel here; a wave then walks the instructions.

mod count;
mod isa;
mod model;
mod radv;
mod report;
mod spirv;
mod step;
mod wave;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use pollen::gpu::Gpu;
use pollen::graph::Tuning;

use model::Compiled;
use report::Made;
use spirv::Compiler;
use step::Step;

/// What a step of a model would take on a GPU, kernel by kernel, without the GPU
#[derive(Parser)]
#[command(name = "cargo xtask profile")]
struct Arguments {
    /// A model folder; its config.json alone is enough
    model: PathBuf,
    /// Pictures at a time
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// A step of training instead
    #[arg(long)]
    train: bool,
    /// The kernels of another class of GPUs than a desktop's
    #[arg(long, value_name = "small|large|huge", default_value = "large", value_parser = class)]
    class: Tuning,
    /// Compile a folder of modules: what this program runs itself for, in RADV's environment
    #[arg(long, hide = true)]
    compile: bool,
}

fn class(name: &str) -> Result<Tuning, String> {
    let known = Tuning::named(name).filter(|class| !class.is_software());
    known.ok_or_else(|| "there are small, large and huge".into())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.compile {
        return compile(&arguments.model);
    }
    if let Some(what) = radv::missing() {
        bail!("{what}");
    }
    let gpu = pollster::block_on(Gpu::open(None))
        .context("the loops are counted on an adapter, software ones too")?
        .tuned(arguments.class);
    let step = Step::of(
        &arguments.model,
        arguments.batch.into(),
        arguments.train,
        &gpu,
    )?;
    let mut device = String::new();
    for compiler in [Compiler::Naga, Compiler::Tint] {
        if compiler == Compiler::Tint
            && let Some(what) = spirv::without_tint()
        {
            println!("\nTint, Chromium's compiler, was left out: {what}.");
            continue;
        }
        let (made, name) = through(compiler, &step)?;
        println!(
            "\n{} of {}, batch {}, kernels for {} GPUs, by {}:",
            if arguments.train {
                "A step of training"
            } else {
                "A step"
            },
            arguments.model.display(),
            arguments.batch,
            gpu.tuning.name(),
            compiler.name()
        );
        report::print(&step, &made);
        device = name;
    }
    println!();
    report::assumptions(&device);
    Ok(())
}

/// Every text of `step` by `compiler` and RADV, and the name of RADV's device.
fn through(compiler: Compiler, step: &Step) -> Result<(Vec<Made>, String)> {
    let folder = tempfile::tempdir()?;
    for (i, text) in step.texts.iter().enumerate() {
        let words = compiler
            .compile(text, folder.path())
            .with_context(|| format!("{} on text {i}", compiler.name()))?;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        fs::write(folder.path().join(format!("{i}.module")), bytes)?;
    }
    let done = Command::new(std::env::current_exe()?)
        .arg("--compile")
        .arg(folder.path())
        .envs(radv::ENVIRONMENT)
        .output()?;
    ensure!(
        done.status.success(),
        "RADV: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    let said = String::from_utf8(done.stdout)?;
    let mut lines = said.lines();
    let name = lines.next().context("RADV has no name")?.to_owned();
    let mut made = Vec::new();
    for (i, line) in lines.enumerate() {
        let (registers, bytes) = line
            .split_once(' ')
            .context("RADV's statistics are cut short")?;
        let compiled = Compiled {
            registers: registers.parse()?,
            workgroup_bytes: bytes.parse()?,
        };
        made.push(Made::new(
            compiled,
            &fs::read_to_string(folder.path().join(format!("{i}.s")))?,
        ));
    }
    ensure!(
        made.len() == step.texts.len(),
        "RADV compiled {} of {} kernels",
        made.len(),
        step.texts.len()
    );
    Ok((made, name))
}

/// Prints RADV's name, then registers and bytes of workgroup memory of each module in `folder`, whose instructions it leaves
/// there.
fn compile(folder: &Path) -> Result<()> {
    let radv = radv::Radv::open()?;
    println!("{}", radv.name);
    for i in 0.. {
        let path = folder.join(format!("{i}.module"));
        if !path.is_file() {
            break;
        }
        let words: Vec<u32> = fs::read(&path)?
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let (compiled, assembly) = radv
            .compile(&words)
            .with_context(|| format!("module {i}"))?;
        fs::write(folder.join(format!("{i}.s")), assembly)?;
        println!("{} {}", compiled.registers, compiled.workgroup_bytes);
    }
    Ok(())
}
