//! A training, step by step to JavaScript, which shows what comes of it and keeps its checkpoints.

use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Function, JsString, Object, Promise, Uint8Array};
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::engine::Engine;
use super::js;
use super::loaded::Loaded;
use super::reverse::{self, Arrays, GenerateOptions};
use crate::graph::lower::Store;
use crate::model::{Config, UNet};
use crate::train::checkpoint::State;
use crate::train::data::{DataSet, LabelSource, classes};
use crate::train::{PendingReport, Recipe, Trainer, TrainingInspection, scheduler};

/// What `train` takes, but for the pictures, their labels and the checkpoint.
#[derive(Default, Deserialize)]
#[serde(default)]
struct TrainOptions {
    channels: usize,
    height: usize,
    width: usize,
    classes: Vec<String>,
    /// A `config.json`, as an object or as its text.
    config: Option<Value>,
    /// A `scheduler_config.json`, likewise.
    scheduler: Option<Value>,
    #[serde(deserialize_with = "js::fields")]
    recipe: Recipe,
}

/// What `inspectTraining` takes.
#[derive(Deserialize)]
struct InspectOptions {
    config: Option<Value>,
    /// Pictures on the device at a time.
    batch: Option<usize>,
}

/// A training in progress on an engine's device.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer,
    pending: VecDeque<PendingReport>,
    /// The network with the moving average of the weights, and with the weights themselves, as further steps change them.
    averaged: Rc<Loaded>,
    raw: Rc<Loaded>,
}

#[wasm_bindgen]
impl Engine {
    /// Begins a training on `pixels`, `[N,C,H,W]` in bytes, whose `labels` are each picture's place among the classes;
    /// with a `checkpoint`, goes on from there, and what `options` say of network, scheduler and recipe is not read.
    pub async fn train(
        &self,
        pixels: Vec<u8>,
        labels: Option<Vec<u32>>,
        options: JsValue,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<Training, JsValue> {
        let options: TrainOptions = js::options(&options)?;
        let data = Rc::new(DataSet {
            channels: options.channels,
            height: options.height,
            width: options.width,
            pixels,
            labels,
            classes: options.classes,
        });
        data.check().map_err(js::failure)?;
        let trainer = match checkpoint {
            Some(bytes) => {
                let state = State::from_bytes("the checkpoint", &bytes).map_err(js::failure)?;
                Trainer::resume(&self.device, data, state).await
            }
            None => {
                let config = network(options.config)?;
                let text = options.scheduler.map(text);
                let (scheduler, _) = scheduler(text.as_deref()).map_err(js::failure)?;
                Trainer::new(&self.device, config, scheduler, data, options.recipe, None).await
            }
        };
        let trainer = trainer.map_err(js::failure)?;
        let network = |averaged| {
            Rc::new(Loaded {
                network: trainer.network(averaged),
                scheduler: Some(trainer.scheduler.to_json().to_string()),
            })
        };
        Ok(Training {
            averaged: network(true),
            raw: network(false),
            trainer,
            pending: VecDeque::new(),
        })
    }

    /// Makes the training's averaged network the loaded one, as later steps change it, too. Gives what `load` gives.
    #[wasm_bindgen(js_name = useTraining)]
    pub fn use_training(&self, training: &Training) -> Result<Object, JsValue> {
        let info = training.averaged.info(Vec::new())?;
        self.loaded.replace(Some(Rc::clone(&training.averaged)));
        Ok(info)
    }

    /// Costs of a training step of the network `config`, with `batch` pictures on the device at a time.
    #[wasm_bindgen(js_name = inspectTraining)]
    pub fn inspect_training(&self, options: JsValue) -> Result<Object, JsValue> {
        let options: InspectOptions = js::options(&options)?;
        let config = network(options.config)?;
        let (h, w) = config.image_size(None).map_err(js::failure)?;
        let unet = UNet::new(&config, h, w).map_err(js::failure)?;
        let batch = options.batch.unwrap_or(Recipe::default().batch);
        let inspection = TrainingInspection::of(&unet, batch, &self.device.limits());
        js::object(&inspection.map_err(js::failure)?)
    }
}

#[wasm_bindgen]
impl Training {
    /// Steps submitted so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> f64 {
        self.trainer.step as f64
    }

    /// Whether it sees its pictures mirrored, too.
    #[wasm_bindgen(getter)]
    pub fn flips(&self) -> bool {
        self.trainer.recipe.flips
    }

    /// Submits one step, if `submit`, and gives the oldest report that is due, or null. Of the steps that have been
    /// submitted one report may stay under way; without `submit` none.
    pub async fn step(&mut self, submit: bool) -> Result<JsValue, JsValue> {
        if submit {
            let report = self.trainer.submit().await.map_err(js::failure)?;
            self.pending.push_back(report);
        }
        if self.pending.len() <= usize::from(submit) {
            return Ok(JsValue::NULL);
        }
        let Some(report) = self.pending.pop_front() else {
            return Ok(JsValue::NULL);
        };
        match report.arrive().await {
            Ok(report) => Ok(js::object(&report)?.into()),
            Err(error) => {
                self.pending.clear();
                Err(js::failure(error))
            }
        }
    }

    /// The bytes of the command line's `training.checkpoint`, as `Uint8Array`s that follow one another.
    pub async fn checkpoint(&self) -> Result<Array, JsValue> {
        let state = self.trainer.state().await.map_err(js::failure)?;
        let (head, numbers) = state.to_pieces().map_err(js::failure)?;
        let pieces = [&head[..]].into_iter().chain(numbers);
        Ok(pieces.map(Uint8Array::from).collect())
    }

    /// The averaged network as the files of a model folder, `Uint8Array`s by name; with the `gradients` in the weights' place
    /// where they are asked for, as Adam averages them (its first moment, m): those of a step are gone when it is done.
    pub async fn files(&self, gradients: bool) -> Result<Object, JsValue> {
        let store = match gradients {
            true => Store::Mean,
            false => Store::Ema,
        };
        let numbers = self.trainer.numbers(store).await;
        let numbers = numbers.map_err(js::failure)?;
        let files = Object::new();
        for (name, bytes) in self.trainer.files(&numbers).map_err(js::failure)? {
            js::set(&files, &name, Uint8Array::from(&bytes[..]))?;
        }
        Ok(files)
    }

    /// A reverse chain of the averaged network, or of the one that the last step left; see [`Engine::generate`].
    pub async fn generate(
        &self,
        averaged: bool,
        options: JsValue,
        noise: Option<Vec<f32>>,
        draw: bool,
        on_step: Function,
    ) -> Result<Object, JsValue> {
        let options: GenerateOptions = js::options(&options)?;
        let arrays = Arrays {
            noise,
            ..Arrays::default()
        };
        let of = match averaged {
            true => &self.averaged,
            false => &self.raw,
        };
        reverse::generate(of, options, arrays, draw, &on_step).await
    }
}

/// What `arrangePictures` takes beside the files.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ArrangeOptions {
    labels: LabelSource,
}

/// Which of the files that a visitor chose are pictures, in which order and of which class, as the command line has it
/// of a folder. `paths` are relative, with `/` between folders; `read(index)` gives a promise of a file's text.
#[wasm_bindgen(js_name = arrangePictures)]
pub async fn arrange_pictures(
    paths: Vec<String>,
    options: JsValue,
    read: Function,
) -> Result<Object, JsValue> {
    const ROOT: &str = "the selection";
    let options: ArrangeOptions = js::options(&options)?;
    let names = classes::below_common_folder(paths);
    let list = match names.iter().position(|name| name == classes::CLASSES) {
        None => None,
        Some(at) => {
            let answer = read.call1(&JsValue::NULL, &JsValue::from(at))?;
            let text: JsString = JsFuture::from(Promise::resolve(&answer))
                .await?
                .dyn_into()?;
            let json = String::from(text);
            let list = classes::class_list(ROOT, json.as_bytes());
            Some(list.map_err(js::failure)?)
        }
    };
    let arranged = classes::arrange(ROOT, &names, list, options.labels, false);
    js::object(&arranged.map_err(js::failure)?)
}

fn network(config: Option<Value>) -> Result<Config, JsValue> {
    let Some(config) = config else {
        return Err(js::input(
            "There is no config: give the config.json of a UNet2DModel, as an object or as text.",
        ));
    };
    let (config, _) = Config::parse("config.json", text(config).as_bytes()).map_err(js::failure)?;
    Ok(config)
}

/// The text of a JSON file that was given as an object or as text.
fn text(file: Value) -> String {
    match file {
        Value::String(text) => text,
        object => object.to_string(),
    }
}
