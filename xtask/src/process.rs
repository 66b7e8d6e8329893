//! Running other programs.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::failures;

/// `program` as found on PATH (on Windows with its extension: npm is `npm.cmd` there), to be run in `folder`, without input.
pub fn command(program: &str, folder: &Path) -> Result<Command> {
    let path = which::which(program).with_context(|| format!("{program} is not on PATH"))?;
    let mut command = Command::new(path);
    command.current_dir(folder).stdin(Stdio::null());
    Ok(command)
}

/// Runs to the end; an error if it does not exit with 0.
pub fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .status()
        .with_context(|| format!("{} cannot be started", name(command)))?;
    ensure!(status.success(), "{} failed with {status}", name(command));
    Ok(())
}

/// Runs to the end, prints what it prints on stdout and hands each of these lines to `line` too; whether it exited with 0.
pub fn run_lines(command: &mut Command, mut line: impl FnMut(&str)) -> Result<bool> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", name(command)))?;
    let stdout = child.stdout.take().context("no pipe to read from")?;
    for bytes in BufReader::new(stdout).split(b'\n') {
        let bytes = bytes?;
        let text = String::from_utf8_lossy(&bytes);
        println!("{text}");
        let text = text.trim_end();
        failures::hear(text);
        line(text);
    }
    Ok(child.wait()?.success())
}

/// What the program prints on stdout; an error if it does not exit with 0.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("{} cannot be started", name(command)))?;
    ensure!(
        output.status.success(),
        "{} failed with {}",
        name(command),
        output.status
    );
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not text", name(command)))
}

fn announce(command: &Command) {
    let arguments: Vec<_> = command
        .get_args()
        .map(|argument| argument.to_string_lossy())
        .collect();
    eprintln!("$ {} {}", name(command), arguments.join(" "));
}

fn name(command: &Command) -> String {
    Path::new(command.get_program())
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
pub mod scratch {
    use std::path::{Path, PathBuf};
    use std::{env, fs, process};

    /// A folder that is empty at first and gone in the end.
    pub struct Scratch(PathBuf);

    impl Scratch {
        pub fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("pollen-{name}-{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}
