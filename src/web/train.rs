//! A training, step by step to JavaScript, which keeps its checkpoints and writes its files.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::engine::{Engine, Loaded};
use super::js;
use crate::diffusion::config::SchedulerConfig;
use crate::engine::Device;
use crate::graph::lower::Store;
use crate::model::{Config, UNet};
use crate::ops::loss::LossKind;
use crate::train::PendingReport;
use crate::train::data::DataSet;
use crate::train::plans::{TrainingNodes, optimiser};
use crate::train::{Recipe, Trainer};

/// What a step of training costs, known before anything is allocated.
#[derive(Serialize)]
struct TrainingInspection {
    parameters: u64,
    flops_per_step: u64,
    dispatches_per_step: usize,
    arena_bytes: u64,
    /// Weights, their gradients, Adam's two moments and the moving average.
    weight_bytes: u64,
}

/// A training in progress on an engine's device.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer,
    pending: VecDeque<PendingReport>,
    averaged: Rc<Loaded>,
    /// What the averaged network has taken the place of in the engine.
    before: RefCell<Option<Rc<Loaded>>>,
}

#[wasm_bindgen]
impl Engine {
    /// Begins a training on `pixels`, `[N,C,H,W]` in bytes. `options` are `channels`, `height`, `width`, `classes` (names,
    /// one a line), the texts of `config` and `scheduler`, and `recipe`; `labels` are each picture's place among the classes.
    pub async fn train(
        &self,
        pixels: Vec<u8>,
        labels: Option<Vec<u32>>,
        options: Object,
    ) -> Result<Training, JsValue> {
        if let Device::Cpu = self.device {
            return Err(js::input(
                "Training needs WebGPU, which this browser does not give the page; the command line's `pollen train` can also train on the processor.",
            ));
        }
        let size = |name| Ok::<_, JsValue>(js::number(&options, name)?.unwrap_or(0.0) as usize);
        let data = Rc::new(DataSet {
            channels: size("channels")?,
            height: size("height")?,
            width: size("width")?,
            pixels,
            labels,
            classes: (js::text(&options, "classes")?.lines())
                .map(str::to_owned)
                .collect(),
        });
        check(&data)?;
        let recipe = recipe_of(&Reflect::get(&options, &"recipe".into())?)?;
        let config = network(&js::text(&options, "config")?)?;
        let scheduler = js::text(&options, "scheduler")?;
        let (parsed, _) = SchedulerConfig::parse(&scheduler, None).map_err(js::failure)?;
        let trainer = Trainer::new(&self.device, config, parsed, data, recipe, None)
            .await
            .map_err(js::failure)?;
        let averaged = Rc::new(Loaded {
            network: trainer.network(),
            scheduler: Some(scheduler),
        });
        Ok(Training {
            trainer,
            pending: VecDeque::new(),
            averaged,
            before: RefCell::default(),
        })
    }

    /// Loads the training's averaged network, which is as it is at each use, for good or until [`Engine::restore`].
    #[wasm_bindgen(js_name = useTraining)]
    pub fn use_training(&self, training: &Training, for_good: bool) {
        let before = self.loaded.replace(Some(Rc::clone(&training.averaged)));
        training.before.replace(before.filter(|_| !for_good));
    }

    /// Loads what was there before.
    pub fn restore(&self, training: &Training) {
        self.loaded.replace(training.before.take());
    }

    /// What `load` tells, of the network that is loaded.
    pub fn info(&self) -> Result<Object, JsValue> {
        self.loaded()?.info(Vec::new())
    }

    /// Costs of a training step of the network `config`, with `batch` pictures on the device at a time.
    #[wasm_bindgen(js_name = inspectTraining)]
    pub fn inspect_training(&self, config: &str, batch: usize) -> Result<Object, JsValue> {
        let config = network(config)?;
        let (h, w) = config.image_size(None).map_err(js::failure)?;
        let unet = UNet::new(&config, h, w).map_err(js::failure)?;
        let limits = self.device.limits();
        let plan = TrainingNodes::new(&unet, LossKind::Squared)
            .and_then(|nodes| nodes.plan(batch.max(1), &limits))
            .map_err(js::failure)?;
        let (adam, _) = optimiser(&plan.weights, &limits).map_err(js::failure)?;
        js::object(&TrainingInspection {
            parameters: unet.parameters(),
            flops_per_step: plan.flops(),
            dispatches_per_step: plan.calls.len() + adam.calls.len(),
            arena_bytes: plan.arena_bytes() + adam.arena_bytes(),
            weight_bytes: plan.weights.bytes() * Store::COUNT as u64,
        })
    }
}

#[wasm_bindgen]
impl Training {
    /// Steps submitted so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> f64 {
        self.trainer.step as f64
    }

    /// The numbers of a checkpoint are about to be written, that of `step`.
    #[wasm_bindgen(setter)]
    pub fn set_done(&mut self, step: f64) {
        self.trainer.step = step as u64;
    }

    /// Submits one step, if `submit`, and gives the oldest report that is due: its step, loss, gradient's norm and
    /// learning rate. Of steps that have been submitted one report may stay under way; without `submit` none.
    pub async fn step(&mut self, submit: bool) -> Result<Option<Vec<f64>>, JsValue> {
        if submit {
            let report = self.trainer.submit().await.map_err(js::failure)?;
            self.pending.push_back(report);
        }
        if self.pending.len() <= usize::from(submit) {
            return Ok(None);
        }
        let Some(report) = self.pending.pop_front() else {
            return Ok(None);
        };
        match report.arrive().await {
            Ok(r) => Ok(Some(vec![r.step as f64, r.loss, r.norm, r.rate])),
            Err(error) => {
                self.pending.clear();
                Err(js::failure(error))
            }
        }
    }

    /// A checkpoint's numbers: of weights, Adam's mean and square, the moving average, or the time embedding's
    /// frequencies (0…4); or those of the model's tensors (5), in the order of [`Training::tensors`].
    pub async fn read(&self, what: usize) -> Result<Vec<f32>, JsValue> {
        let numbers = match what {
            FEATURES => Ok(self.trainer.features().to_vec()),
            MODEL => self.trainer.averaged_tensors().await,
            _ => self.trainer.numbers(STORES[what.min(3)]).await,
        };
        numbers.map_err(js::failure)
    }

    /// Puts back what [`Training::read`] gave for 0…4.
    pub fn write(&mut self, what: usize, numbers: Vec<f32>) -> Result<(), JsValue> {
        let written = match what {
            FEATURES => self.trainer.set_features(numbers),
            _ => self.trainer.write(STORES[what.min(3)], &numbers),
        };
        written.map_err(js::failure)
    }

    /// Names and shapes of the model's tensors, one a line: `conv_in.bias 16`.
    pub fn tensors(&self) -> String {
        let mut lines = String::new();
        for (name, shape) in self.trainer.tensor_shapes() {
            lines += name;
            for size in shape {
                lines.push(' ');
                lines += &size.to_string();
            }
            lines.push('\n');
        }
        lines
    }
}

const STORES: [Store; 4] = [Store::Weights, Store::Mean, Store::Square, Store::Ema];
const FEATURES: usize = 4;
const MODEL: usize = 5;

fn network(config: &str) -> Result<Config, JsValue> {
    Ok(Config::parse("config.json", config.as_bytes())
        .map_err(js::failure)?
        .0)
}

/// The recipe's fields by their names; those that are missing take their defaults.
fn recipe_of(fields: &JsValue) -> Result<Recipe, JsValue> {
    let d = Recipe::default();
    let optional = |name| js::number(fields, name);
    let number = |name, default: f64| Ok::<_, JsValue>(optional(name)?.unwrap_or(default));
    Ok(Recipe {
        batch: number("batch", d.batch as f64)? as usize,
        at_once: number("at_once", d.at_once as f64)? as usize,
        rate: number("rate", d.rate)?,
        warm_up: number("warm_up", 0.0)? as u64,
        decay_steps: optional("decay_steps")?.map(|n| n as u64),
        beta1: number("beta1", d.beta1)?,
        beta2: number("beta2", d.beta2)?,
        epsilon: number("epsilon", d.epsilon)?,
        weight_decay: number("weight_decay", d.weight_decay)?,
        clip: number("clip", d.clip)?,
        ema: number("ema", d.ema)?,
        absolute: number("absolute", 0.0)? != 0.0,
        min_snr: optional("min_snr")?,
        label_dropout: number("label_dropout", d.label_dropout)?,
        flips: number("flips", 0.0)? != 0.0,
        seed: number("seed", 0.0)? as u64,
    })
}

/// Whether the bytes are the pictures that they are said to be.
fn check(data: &DataSet) -> Result<(), JsValue> {
    let each = data.sample_len();
    if each == 0 || !data.pixels.len().is_multiple_of(each) {
        return Err(js::input(format!(
            "There are {} bytes of pixels, and pictures of {}×{}×{} take {each} each.",
            data.pixels.len(),
            data.channels,
            data.height,
            data.width
        )));
    }
    let fits = |labels: &Vec<u32>| {
        labels.len() == data.len() && labels.iter().all(|l| (*l as usize) < data.classes.len())
    };
    if !data.labels.as_ref().is_none_or(fits) {
        return Err(js::input(format!(
            "Each of the {} pictures needs a label from 0 to below the number of classes, {}.",
            data.len(),
            data.classes.len()
        )));
    }
    Ok(())
}
