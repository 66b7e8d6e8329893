//! A network on the device, and its description for JavaScript.

use js_sys::Object;
use serde::Serialize;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::js;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::solvers::SolverName;
use crate::engine::Network;
use crate::model::ClassLabels;

/// A network and how it was trained.
pub struct Loaded {
    pub network: Network,
    /// The text of `scheduler_config.json`.
    pub scheduler: Option<String>,
}

impl Loaded {
    /// The model's scheduler as the class of `solver` reads it, with `fields` in place of the file's; the class of
    /// the file where `None`. What cannot be done as the file says is replaced, with a sentence.
    pub fn scheduler(
        &self,
        solver: Option<SolverName>,
        fields: Map<String, Value>,
    ) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
        let (text, solver) = match &self.scheduler {
            Some(text) => (text.as_str(), solver),
            None => ("{}", solver.or(Some(SolverName::Ddpm))),
        };
        SchedulerConfig::open(text, solver, fields)
    }

    /// The network for images of another size than its own.
    pub fn resized(&self, height: usize, width: usize) -> Result<Option<Network>, JsValue> {
        let (_, h, w) = self.network.image();
        let another = ((height, width) != (h, w)).then(|| self.network.at_size(height, width));
        another.transpose().map_err(js::failure)
    }

    /// How the network was trained, where every number counts: nothing is replaced.
    pub fn trained(&self) -> Result<SchedulerConfig, JsValue> {
        let text = self.scheduler.as_deref().unwrap_or("{}");
        let read = SchedulerConfig::parse(text, Some(SolverName::Ddpm));
        read.map(|(scheduler, _)| scheduler).map_err(js::failure)
    }

    /// What `loadModel` resolves to; see docs/api.md.
    pub fn info(&self, mut warnings: Vec<String>) -> Result<Object, JsValue> {
        // A file that no sampler can follow keeps no model from being looked at; a run says the same.
        let (scheduler, said) = match self.scheduler(None, Map::new()) {
            Ok(read) => read,
            Err(error) => {
                let scheduler = SchedulerConfig::new(SolverName::Ddpm);
                (scheduler, vec![error.to_string()])
            }
        };
        warnings.extend(said);
        let cost = self.network.inspect(1).map_err(js::failure)?;
        let (channels, height, width) = self.network.image();
        js::object(&ModelInfo {
            parameters: cost.parameters,
            weight_bytes: cost.weight_bytes,
            channels,
            height,
            width,
            classes: self.classes(),
            any: self.network.labels.as_ref().and_then(|l| l.any),
            train_steps: scheduler.num_train_timesteps,
            prediction: scheduler.prediction_type.name(),
            variance: scheduler.variance_type.name(),
            sampler: scheduler.solver().name(),
            sized: self.network.config.sample_size.is_some(),
            warnings,
        })
    }

    /// Names of the classes: those of `labels.json`, else their numbers.
    fn classes(&self) -> Option<Vec<String>> {
        match (&self.network.labels, self.network.config.class_labels()) {
            (Some(labels), _) => Some(labels.classes.clone()),
            (None, ClassLabels::Table(rows)) => {
                Some((0..rows).map(|row| row.to_string()).collect())
            }
            (None, _) => None,
        }
    }
}

/// What `loadModel` resolves to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelInfo {
    parameters: u64,
    weight_bytes: u64,
    channels: usize,
    height: usize,
    width: usize,
    classes: Option<Vec<String>>,
    any: Option<usize>,
    train_steps: usize,
    prediction: &'static str,
    variance: &'static str,
    sampler: &'static str,
    sized: bool,
    warnings: Vec<String>,
}
