//! `pollen train`: a network from pictures; resumed from a checkpoint, it ends in the same bytes.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use pollen::Error;
use pollen::diffusion::choices::PredictionType;
use pollen::diffusion::config::SchedulerConfig;
use pollen::engine::Device;
use pollen::graph::lower::Store;
use pollen::model::{Checkpoint, ClassLabels, Config, ModelError, UNet, export};
use pollen::train::PendingReport;
use pollen::train::checkpoint::State;
use pollen::train::{Recipe, Trainer, data, left_over};

use super::losses::Losses;
use super::{On, seed, trust};

/// The file to resume from; the model and its losses are in the same folder.
const CHECKPOINT: &str = "training.checkpoint";

#[derive(Args)]
pub struct Train {
    /// Pictures: a folder or zip file (sub-folders are classes), MNIST's IDX, an NPZ file, or one picture.
    #[arg(long)]
    data: PathBuf,
    /// Where the labels of picture files are: the folders that they are in, what stands before the first _ of their
    /// names, or nowhere.
    #[arg(long, value_enum, default_value = "folders")]
    labels: LabelsFrom,
    /// Take a damaged picture as it is, where --data is one; of several, damaged ones are left out.
    #[arg(long)]
    damaged: bool,
    /// The network: a UNet2DModel's config.json, or a file with that under "unet" and a scheduler under "scheduler".
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    steps: u64,
    /// Pictures a step.
    #[arg(long, default_value_t = 8)]
    batch: usize,
    /// Adam's learning rate.
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    #[arg(long, default_value_t = 0, value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// The folder that becomes the model.
    #[arg(long)]
    output: PathBuf,
    /// Go on from the folder's checkpoint, if there is one yet.
    #[arg(long)]
    resume: bool,
    /// Go on with --lr in place of the rate that the training was begun with.
    #[arg(long, requires = "resume")]
    change_lr: bool,
    /// A scheduler_config.json; without it DDPM's linear schedule of 1000 steps.
    #[arg(long)]
    scheduler: Option<PathBuf>,
    /// What the network predicts, over the scheduler's own.
    #[arg(long, value_enum)]
    prediction: Option<Prediction>,
    /// A model folder whose weights training starts from.
    #[arg(long)]
    start: Option<PathBuf>,
    /// The most pictures on the device at a time; larger batches are gathered.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
    /// Steps over which the rate rises.
    #[arg(long, default_value_t = 0)]
    warm_up: u64,
    /// Let the rate fall to 0 at the last step, as a cosine.
    #[arg(long)]
    decay: bool,
    /// AdamW's decoupled decay of the weights.
    #[arg(long, default_value_t = 0.0)]
    weight_decay: f64,
    /// The largest norm of the gradient; 0 is no limit.
    #[arg(long, default_value_t = 1.0)]
    clip: f64,
    /// What the moving average keeps at each step.
    #[arg(long, default_value_t = 0.999)]
    ema: f64,
    #[arg(long, value_enum, default_value = "l2")]
    loss: LossName,
    /// Gamma of the min-SNR weights.
    #[arg(long)]
    min_snr: Option<f64>,
    /// How often a class becomes "any".
    #[arg(long, default_value_t = 0.1)]
    label_dropout: f64,
    /// Mirror pictures at random.
    #[arg(long)]
    flips: bool,
    /// Cut random windows out of pictures a quarter larger than the network's.
    #[arg(long)]
    crops: bool,
    /// Seconds between checkpoints.
    #[arg(long, default_value_t = 60.0)]
    checkpoint_seconds: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LabelsFrom {
    Folders,
    Prefix,
    None,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LossName {
    L2,
    L1,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Prediction {
    Epsilon,
    Sample,
    #[value(name = "v_prediction")]
    Velocity,
}

impl Train {
    pub async fn run(self, on: &On) -> anyhow::Result<()> {
        if self.checkpoint_seconds.is_nan() || self.checkpoint_seconds < 0.0 {
            bail!(
                "--checkpoint-seconds is {}, and must be 0 or more",
                self.checkpoint_seconds
            );
        }
        let (config, scheduler) = self.network()?;
        let recipe = self.recipe();
        recipe.check()?;
        let mut state = self.state()?;
        if let Some(state) = &mut state {
            if self.change_lr && state.recipe.rate != recipe.rate {
                let (was, step) = (state.recipe.rate, state.step);
                eprintln!(
                    "the learning rate is {} from step {} on; it was {was}",
                    recipe.rate,
                    step + 1
                );
                state.recipe.rate = recipe.rate;
            }
            self.compare(state, &config, &scheduler, &recipe)?;
        }
        let shown = self.config.display();
        if config.sample_size.is_none() {
            bail!(
                "{shown} has no sample_size, the height and width of the pictures to train on: put \"sample_size\": 64, or another, into it"
            );
        }
        let size = config.image_size(None).map_err(|e| match e {
            ModelError::Config { reason, .. } => anyhow!("{shown}: {reason}"),
            other => other.into(),
        });
        let (h, w) = size?;
        let room = |side: usize| {
            if self.crops {
                side + side.div_ceil(4)
            } else {
                side
            }
        };
        let size = (room(h), room(w));
        let (pictures, mut notes) =
            data::open(&self.data, size, config.in_channels, self.asked(&config))?;
        notes.extend(left_over(&config, &pictures));
        for sentence in notes {
            eprintln!("{sentence}");
        }
        if config.dropout > 0.0 {
            eprintln!(
                "the configuration's dropout of {} is left out",
                config.dropout
            );
        }
        let device = on.open().await?;
        let start = match &self.start {
            Some(folder) => Some(starting_weights(
                folder,
                &config,
                (pictures.height, pictures.width),
            )?),
            None => None,
        };
        std::fs::create_dir_all(&self.output)
            .with_context(|| format!("{} cannot be made", self.output.display()))?;
        let pictures = Rc::new(pictures);
        let mut trainer = match state {
            Some(state) => Trainer::resume(&device, pictures, state).await?,
            None => {
                Trainer::new(&device, config, scheduler, pictures, recipe, start.as_ref()).await?
            }
        };
        if trainer.step > self.steps {
            bail!(
                "{} has done {} steps already, more than --steps {}",
                self.output.display(),
                trainer.step,
                self.steps
            );
        }
        let losses = Losses::open(&self.output, trainer.step)?;
        self.go(&mut trainer, losses, &device).await
    }

    async fn go(
        &self,
        trainer: &mut Trainer,
        mut losses: Losses,
        device: &Device,
    ) -> anyhow::Result<()> {
        let bar = progress(self.steps, trainer.step, &device.name());
        let mut pending: VecDeque<PendingReport> = VecDeque::new();
        let mut saved = Instant::now();
        if trainer.step == self.steps {
            self.save(trainer, true).await?;
        }
        while trainer.step < self.steps {
            pending.push_back(trainer.submit().await?);
            let last = trainer.step == self.steps;
            let due = last || saved.elapsed() >= Duration::from_secs_f64(self.checkpoint_seconds);
            // One step stays under way, so that the device never waits for a loss to be written.
            while pending.len() > usize::from(!due) {
                let Some(report) = pending.pop_front() else {
                    break;
                };
                match report.arrive().await {
                    Ok(report) => {
                        losses.add(&report)?;
                        bar.set_message(format!("loss {:.4}", losses.smooth));
                        bar.inc(1);
                    }
                    Err(diverged @ Error::Diverged { .. }) => {
                        self.save(trainer, false).await?;
                        return Err(diverged.into());
                    }
                    Err(other) => return Err(other.into()),
                }
            }
            if due {
                self.save(trainer, true).await?;
                saved = Instant::now();
            }
        }
        bar.finish_and_clear();
        println!(
            "{} steps of {} pictures; loss {:.5} over the last hundred; {}",
            trainer.step,
            trainer.recipe.batch,
            losses.recent(),
            self.output.display()
        );
        Ok(())
    }

    /// Writes the model, and the checkpoint where a run can go on from here. All files are complete before the first
    /// takes the place of an older one.
    async fn save(&self, trainer: &Trainer, checkpoint: bool) -> anyhow::Result<()> {
        let state = trainer.state().await?;
        let mut files = trainer.files(state.store(Store::Ema))?;
        if checkpoint {
            files.push((CHECKPOINT.into(), state.to_bytes()?));
        }
        Ok(export::write(&self.output, &files)?)
    }

    /// The network and its scheduler, as the files say.
    fn network(&self) -> anyhow::Result<(Config, SchedulerConfig)> {
        let shown = self.config.display().to_string();
        let text = std::fs::read(&self.config).with_context(|| shown.clone())?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).with_context(|| format!("{shown} is no JSON"))?;
        let (network, beside) = match value.get("unet") {
            Some(network) => (network.to_string().into_bytes(), value.get("scheduler")),
            None => (text, None),
        };
        let (config, mut warnings) = Config::parse(&shown, &network)?;
        let scheduler = match (&self.scheduler, beside) {
            (Some(path), _) => {
                Some(std::fs::read_to_string(path).with_context(|| path.display().to_string())?)
            }
            (None, Some(beside)) => Some(beside.to_string()),
            (None, None) => None,
        };
        let (mut scheduler, ignored) = pollen::train::scheduler(scheduler.as_deref())?;
        warnings.extend(ignored);
        if let Some(prediction) = self.prediction {
            scheduler.prediction_type = match prediction {
                Prediction::Epsilon => PredictionType::Epsilon,
                Prediction::Sample => PredictionType::Sample,
                Prediction::Velocity => PredictionType::Velocity,
            };
        }
        for warning in warnings {
            eprintln!("{shown}: {warning}");
        }
        Ok((config, scheduler))
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            batch: self.batch,
            at_once: self.at_once.min(self.batch),
            rate: self.lr,
            warm_up: self.warm_up,
            decay_steps: self.decay.then_some(self.steps),
            weight_decay: self.weight_decay,
            clip: self.clip,
            ema: self.ema,
            absolute: self.loss == LossName::L1,
            min_snr: self.min_snr,
            label_dropout: self.label_dropout,
            flips: self.flips,
            seed: self.seed,
            ..Recipe::default()
        }
    }

    /// How the pictures are read.
    fn asked(&self, config: &Config) -> data::Asked {
        data::Asked {
            labels: match self.labels {
                LabelsFrom::Folders => data::LabelSource::Folders,
                LabelsFrom::Prefix => data::LabelSource::Prefix,
                LabelsFrom::None => data::LabelSource::None,
            },
            unlabelled: matches!(config.class_labels(), ClassLabels::None),
            trust: trust(self.damaged),
        }
    }

    /// The checkpoint to go on from, if there is one.
    fn state(&self) -> anyhow::Result<Option<State>> {
        let path = self.output.join(CHECKPOINT);
        if !path.exists() {
            return Ok(None);
        }
        if !self.resume {
            bail!(
                "{} holds a training already: add --resume to go on with it, or choose another --output",
                self.output.display()
            );
        }
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path).with_context(|| shown.clone())?;
        let advice = "remove it to begin anew, or from the model that was saved beside it (--start with its folder)";
        let state = State::from_bytes(&shown, &bytes);
        Ok(Some(state.map_err(|e| anyhow!("{e}; {advice}"))?))
    }

    /// Refuses to go on with other numbers than the run was begun with.
    fn compare(
        &self,
        state: &State,
        config: &Config,
        scheduler: &SchedulerConfig,
        recipe: &Recipe,
    ) -> anyhow::Result<()> {
        let folder = self.output.display();
        if state.config != *config {
            bail!(
                "the training in {folder} is of another network than {}",
                self.config.display()
            );
        }
        if state.scheduler != *scheduler {
            bail!("the training in {folder} has another schedule or prediction");
        }
        let (before, now) = (
            serde_json::to_value(&state.recipe)?,
            serde_json::to_value(recipe)?,
        );
        let differs = |name: &str| before[name] != now[name];
        let mut others = Vec::new();
        for (name, was) in before.as_object().into_iter().flatten() {
            // the most at a time follow from the pictures a step
            if differs(name) && (name != "at_once" || !differs("batch")) {
                let (was, now) = (option(name, was), option(name, &now[name]));
                others.push(format!("{was} (and {now} is asked for now)"));
            }
        }
        if !others.is_empty() {
            bail!(
                "the training in {folder} has {}; with the same numbers it goes on{}",
                others.join(", "),
                match differs("rate") {
                    true => ", and with --change-lr from here on at the new rate",
                    false => "",
                }
            );
        }
        Ok(())
    }
}

/// A recipe's field `name` as the options that make it so.
fn option(name: &str, value: &serde_json::Value) -> String {
    use serde_json::Value::{Bool, Null};
    let option = match name {
        "absolute" if *value == Bool(true) => return "--loss l1".into(),
        "absolute" => return "--loss l2".into(),
        "decay_steps" if !value.is_null() => return format!("--decay with --steps {value}"),
        "decay_steps" => "decay".into(),
        "rate" => "lr".into(),
        other => other.replace('_', "-"),
    };
    match value {
        Null | Bool(false) => format!("no --{option}"),
        Bool(true) => format!("--{option}"),
        value => format!("--{option} {value}"),
    }
}

fn progress(steps: u64, done: u64, device: &str) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_position(done);
    bar.reset_eta();
    let style = format!(
        "{{bar:30}} step {{pos}}/{{len}} · {{msg}} · {{per_sec}} · {{eta}} left · {device}"
    );
    if let Ok(style) = ProgressStyle::with_template(&style) {
        bar.set_style(style);
    }
    bar
}

/// The weights in `folder` that training a network on pictures of that height and width starts from; what is to be said of them
/// is printed.
fn starting_weights(
    folder: &Path,
    config: &Config,
    (height, width): (usize, usize),
) -> anyhow::Result<Checkpoint> {
    let start = Checkpoint::open(folder)?;
    let unet = UNet::new(config, height, width)?;
    let expected = unet.tensors.iter();
    let expected = expected.map(|(name, shape)| (name.as_str(), shape.clone()));
    let left_out = start.check(expected)?;
    for sentence in start.warnings.iter().chain(&left_out) {
        eprintln!("{}: {sentence}", folder.display());
    }
    Ok(start)
}
