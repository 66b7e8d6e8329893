//! The losses of a training, step by step in a file beside the model.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use pollen::model::export;
use pollen::train::Report;

const LOSSES: &str = "loss.csv";
const HEADER: &str = "step,loss,gradient_norm,rate\n";

/// loss.csv, line by line.
pub struct Losses {
    path: PathBuf,
    file: std::fs::File,
    /// A moving average.
    pub smooth: f64,
    last: VecDeque<f64>,
}

impl Losses {
    /// The file in `folder` cut back to `step`, where the run goes on: what was written after the checkpoint is computed again.
    pub fn open(folder: &Path, step: u64) -> anyhow::Result<Self> {
        let path = folder.join(LOSSES);
        let shown = path.display().to_string();
        let mut text = String::from(HEADER);
        let mut last = VecDeque::new();
        if step > 0 {
            let before = std::fs::read_to_string(&path).with_context(|| shown.clone())?;
            let lines: Vec<&str> = before.lines().skip(1).take(step as usize).collect();
            let complete = |(i, line): (usize, &&str)| line.starts_with(&format!("{},", i + 1));
            if lines.len() as u64 != step || !lines.iter().enumerate().all(complete) {
                bail!("{shown} does not hold the {step} steps that the checkpoint is from");
            }
            for line in lines {
                text += line;
                text.push('\n');
                last.extend(
                    line.split(',')
                        .nth(1)
                        .and_then(|loss| loss.parse::<f64>().ok()),
                );
            }
        }
        while last.len() > 100 {
            last.pop_front();
        }
        let name = LOSSES.to_owned();
        export::write(folder, &[(name, text.into_bytes())])?;
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        Ok(Self {
            file: file.with_context(|| shown)?,
            path,
            smooth: last.back().copied().unwrap_or(f64::NAN),
            last,
        })
    }

    pub fn add(&mut self, report: &Report) -> anyhow::Result<()> {
        let Report {
            step,
            loss,
            norm,
            rate,
            ..
        } = report;
        self.smooth = match self.smooth.is_nan() {
            true => *loss,
            false => 0.95 * self.smooth + 0.05 * loss,
        };
        self.last.push_back(*loss);
        if self.last.len() > 100 {
            self.last.pop_front();
        }
        let written = writeln!(self.file, "{step},{loss},{norm},{rate}");
        written.with_context(|| format!("{} cannot be written", self.path.display()))
    }

    /// The mean of the last hundred losses.
    pub fn recent(&self) -> f64 {
        self.last.iter().sum::<f64>() / self.last.len().max(1) as f64
    }
}
