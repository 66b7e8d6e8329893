//! What brings a training back after an interruption, as the bytes of a safetensors file whose metadata hold the rest.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, View};

use super::recipe::Recipe;
use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::graph::lower::Store;
use crate::model::Config;

/// A training between two steps.
#[derive(Clone, Debug)]
pub struct State {
    pub config: Config,
    pub scheduler: SchedulerConfig,
    pub recipe: Recipe,
    /// Steps done.
    pub step: u64,
    /// Which variant of the kernels ran: the other one rounds differently.
    pub software: bool,
    /// SHA-256 of the pictures and their labels.
    pub data: String,
    /// `time_proj.weight`, which is not learned.
    pub features: Vec<f32>,
    /// Each store's numbers, parameter after parameter.
    pub stores: Vec<(Store, Vec<f32>)>,
}

const STORES: [(&str, Store); 4] = [
    ("weights", Store::Weights),
    ("mean", Store::Mean),
    ("square", Store::Square),
    ("ema", Store::Ema),
];
const FEATURES: &str = "time_proj.weight";

struct Numbers<'a>(&'a [f32], [usize; 1]);

impl View for Numbers<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.1
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(bytemuck::cast_slice(self.0))
    }

    fn data_len(&self) -> usize {
        4 * self.0.len()
    }
}

impl State {
    /// The numbers of `store`.
    pub fn store(&self, store: Store) -> &[f32] {
        let found = self.stores.iter().find(|(s, _)| *s == store);
        found.map_or(&[], |(_, numbers)| numbers)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::input(format!("the training's checkpoint cannot be written ({e})"))
        };
        let recipe = serde_json::to_string(&self.recipe).map_err(|e| failed(&e))?;
        let metadata = HashMap::from([
            ("config".to_owned(), self.config.to_json()),
            ("scheduler".to_owned(), self.scheduler.to_json().to_string()),
            ("recipe".to_owned(), recipe),
            ("step".to_owned(), self.step.to_string()),
            ("software".to_owned(), self.software.to_string()),
            ("data".to_owned(), self.data.clone()),
        ]);
        let mut tensors: Vec<(&str, Numbers)> = STORES
            .iter()
            .map(|(name, store)| {
                let numbers = self.store(*store);
                (*name, Numbers(numbers, [numbers.len()]))
            })
            .collect();
        tensors.push((FEATURES, Numbers(&self.features, [self.features.len()])));
        safetensors::serialize(tensors, Some(metadata)).map_err(|e| failed(&e))
    }

    /// Reads what [`State::to_bytes`] wrote; `file` is what errors call it.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, Error> {
        let broken = |what: &str| {
            Error::input(format!(
                "{file} is no complete checkpoint of a training ({what}); remove it to begin anew"
            ))
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e.to_string()))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| broken(&e.to_string()))?;
        let said = header.metadata().clone().unwrap_or_default();
        let text = |name: &str| {
            let text = said.get(name).map(String::as_str);
            text.ok_or_else(|| broken(&format!("it does not say {name}")))
        };
        let (config, _) = Config::parse(file, text("config")?.as_bytes())?;
        let (scheduler, _) = SchedulerConfig::parse(text("scheduler")?, None)?;
        let numbers = |name: &str| {
            let view = tensors.tensor(name).ok();
            let view = view.filter(|v| v.dtype() == Dtype::F32);
            view.map(|v| bytemuck::pod_collect_to_vec::<u8, f32>(v.data()))
                .ok_or_else(|| broken(&format!("the numbers {name} are missing")))
        };
        let stores = STORES
            .iter()
            .map(|(name, store)| Ok((*store, numbers(name)?)));
        Ok(Self {
            config,
            scheduler,
            recipe: serde_json::from_str(text("recipe")?).map_err(|e| broken(&e.to_string()))?,
            step: text("step")?
                .parse()
                .map_err(|_| broken("its step is no number"))?,
            software: text("software")? == "true",
            data: text("data")?.to_owned(),
            features: numbers(FEATURES)?,
            stores: stores.collect::<Result<_, Error>>()?,
        })
    }
}
