//! The command line: the same engine natively, for scripts, training and tests.
//!
//! One file a command. A failure is one line on stderr and exit code 1; files appear complete or not at all.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used))]

mod diffuse;
mod files;
mod inspect;
mod likelihood;
mod losses;
mod predict;
mod sample;
mod train;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pollen::diffusion::noise;
use pollen::engine::Device;
use pollen::picture::{Picture, Trust, refuse_damaged};

#[derive(Parser)]
#[command(
    name = "pollen",
    version,
    about = "Diffusion models on the GPU: diffusers checkpoints, exact numbers."
)]
struct Cli {
    #[command(flatten)]
    on: On,
    #[command(subcommand)]
    command: Command,
}

/// The executor.
#[derive(Args)]
struct On {
    /// The executor: any wgpu adapter, software ones too, or the processor.
    #[arg(long, global = true, value_enum, default_value = "gpu")]
    device: DeviceKind,
    /// Part of an adapter's name, as `devices` shows it.
    #[arg(long, global = true)]
    adapter: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DeviceKind {
    Gpu,
    Cpu,
}

#[derive(Subcommand)]
enum Command {
    /// The adapters, one a line.
    Devices,
    /// A model's size and the cost of a step, as JSON.
    Inspect(inspect::Inspect),
    /// The network's output for given inputs.
    Predict(predict::Predict),
    /// Pictures from noise: the reverse chain.
    Sample(Box<sample::Sample>),
    /// A picture into noise: the forward chain.
    Diffuse(diffuse::Diffuse),
    /// A network from pictures.
    Train(Box<train::Train>),
    /// The variational bound of a picture, in bits a value.
    Likelihood(likelihood::Likelihood),
}

impl On {
    async fn open(&self) -> anyhow::Result<Device> {
        match self.device {
            DeviceKind::Cpu if self.adapter.is_some() => {
                anyhow::bail!("--adapter goes with --device gpu")
            }
            DeviceKind::Cpu => Ok(Device::Cpu),
            DeviceKind::Gpu => Ok(Device::gpu(self.adapter.as_deref()).await?),
        }
    }
}

/// `--seed`, as `torch.manual_seed` takes it.
fn seed(text: &str) -> Result<u64, String> {
    noise::seed_of_text(text).ok_or_else(|| format!("it must be {}", noise::SEEDS))
}

/// The picture that a command is about; a damaged one only where `--damaged` says so.
fn picture(path: &Path, damaged: bool) -> anyhow::Result<Picture> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| anyhow::anyhow!("{shown} cannot be read ({e})"))?;
    let trust = trust(damaged);
    refuse_damaged(&bytes, &shown, trust)?;
    Ok(Picture::decode(&bytes, &shown, trust)?)
}

/// What `--damaged` says.
fn trust(damaged: bool) -> Trust {
    match damaged {
        true => Trust::AsItIs,
        false => Trust::Whole,
    }
}

async fn devices() {
    for info in pollen::gpu::device::adapters().await {
        let name = pollen::gpu::device::adapter_name(&info);
        println!("{name} ({:?}, {:?})", info.backend, info.device_type);
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Devices => devices().await,
        Command::Inspect(command) => command.run()?,
        Command::Predict(command) => command.run(&cli.on.open().await?).await?,
        Command::Sample(command) => command.run(&cli.on).await?,
        Command::Diffuse(command) => command.run(&cli.on.open().await?).await?,
        Command::Train(command) => command.run(&cli.on).await?,
        Command::Likelihood(command) => command.run(&cli.on).await?,
    }
    Ok(())
}

/// Mesa's device-select layer complains on stderr where no desktop session is about; there it has nothing to select by.
#[cfg(target_os = "linux")]
fn quiet_mesa() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: called first in main, before any other thread exists.
        unsafe { std::env::set_var("NODEVICE_SELECT", "1") };
    }
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    quiet_mesa();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) if !e.use_stderr() => {
            // A pipe that is closed early, as by `head`, is no fault.
            let _ = e.print();
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            let text = e.to_string();
            let mut lines = text
                .lines()
                .map(str::trim)
                .take_while(|l| !l.starts_with("Usage:"));
            let line: Vec<&str> = lines.by_ref().filter(|l| !l.is_empty()).collect();
            eprintln!("{}", line.join(" "));
            return ExitCode::from(2);
        }
    };
    match pollster::block_on(run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let text = format!("{e:#}");
            eprintln!(
                "error: {}",
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            );
            ExitCode::FAILURE
        }
    }
}
