//! The training loop on a device: forward, backward and Adam, without waiting for their results.

use std::rc::Rc;

use super::checkpoint::State;
use super::data::DataSet;
use super::objective::{Batch, Objective};
use super::plans::{TrainingNodes, optimiser};
use super::recipe::Recipe;
use super::report::PendingReport;
use super::suits;
use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::schedule::Schedule;
use crate::engine::network::write_time;
use crate::engine::readback::Readback;
use crate::engine::runner::{Reads, Runner};
use crate::engine::weights::Weights;
use crate::engine::{Device, Network};
use crate::graph::lower::Store;
use crate::model::{Checkpoint, Config, Labels, TimeFeatures, UNet};
use crate::ops::adam::AdamKernel;
use crate::ops::loss::LossKind;

/// A tensor of a checkpoint: name, shape, values.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

/// A training in progress.
pub struct Trainer {
    pub config: Config,
    pub scheduler: SchedulerConfig,
    pub labels: Option<Labels>,
    pub recipe: Recipe,
    /// Steps submitted so far.
    pub step: u64,
    schedule: Schedule,
    features: Vec<f32>,
    data: Rc<DataSet>,
    device: Device,
    unet: UNet,
    nodes: TrainingNodes,
    weights: Weights,
    /// A pass for each size that a batch is gathered from.
    passes: Vec<Runner>,
    optimiser: Runner,
}

impl Trainer {
    /// A training of the network `config` on `data` from its beginning: from the weights of `start`, or as PyTorch
    /// begins with the recipe's seed.
    ///
    /// # Errors
    /// Where network, data, recipe and adapter do not fit together; the message says what does not.
    pub async fn new(
        device: &Device,
        config: Config,
        scheduler: SchedulerConfig,
        data: Rc<DataSet>,
        recipe: Recipe,
        start: Option<&Checkpoint>,
    ) -> Result<Self, Error> {
        let mut trainer = Self::bare(device, config, scheduler, data, recipe).await?;
        let names = &trainer.unet.tensors;
        let mut tensors = match start {
            None => {
                let mut generator = crate::diffusion::noise::Generator::new(trainer.recipe.seed);
                trainer.unet.initial(&mut generator)
            }
            Some(start) => (names.iter())
                .map(|(name, shape)| start.tensor_f32(name, shape))
                .collect::<Result<_, _>>()?,
        };
        let mut packed = Vec::new();
        for param in trainer.unet.graph.params() {
            let mut storage = vec![0.0; param.kind.storage_len()];
            for (i, part) in param.parts.iter().enumerate() {
                if let Some(at) = names.iter().position(|(name, _)| *name == part.name) {
                    param.store(i, &tensors[at], &mut storage);
                }
            }
            packed.append(&mut storage);
        }
        if let Some(at) = names
            .iter()
            .position(|(name, _)| name == "time_proj.weight")
        {
            trainer.features = tensors.swap_remove(at);
        }
        trainer.write(Store::Weights, &packed)?;
        trainer.write(Store::Ema, &packed)?;
        Ok(trainer)
    }

    /// A training as `state` left it, by the kernels that made it.
    pub async fn resume(device: &Device, data: Rc<DataSet>, state: State) -> Result<Self, Error> {
        if data.fingerprint() != state.data {
            return Err(Error::input(
                "the training was begun with other pictures than these; give it the same to go on",
            ));
        }
        let device = device.tuned(state.tuning);
        let mut trainer =
            Self::bare(&device, state.config, state.scheduler, data, state.recipe).await?;
        trainer.step = state.step;
        if state.features.len() != trainer.features.len() {
            return Err(another_network());
        }
        trainer.features = state.features;
        for (store, numbers) in state.stores {
            trainer.write(store, &numbers)?;
        }
        Ok(trainer)
    }

    /// Puts back what [`Trainer::numbers`] gave.
    fn write(&self, store: Store, numbers: &[f32]) -> Result<(), Error> {
        let layout = self.weights.layout();
        let mut buffers: Vec<Vec<f32>> = layout.buffers.iter().map(|len| vec![0.0; *len]).collect();
        for (slot, piece) in layout.slots.iter().zip(self.pieces(numbers)?) {
            buffers[slot.buffer][slot.range()].copy_from_slice(piece);
        }
        self.weights.write_store(store, buffers);
        Ok(())
    }

    async fn bare(
        device: &Device,
        config: Config,
        scheduler: SchedulerConfig,
        data: Rc<DataSet>,
        recipe: Recipe,
    ) -> Result<Self, Error> {
        recipe.check()?;
        let (h, w) = config.image_size(None)?;
        suits::check(&config, (h, w), &data)?;
        let labels = suits::labels(&config, &data);
        let unet = UNet::new(&config, h, w)?;
        let kind = match recipe.absolute {
            true => LossKind::Absolute,
            false => LossKind::Squared,
        };
        let nodes = TrainingNodes::new(&unet, kind)?;
        let limits = device.limits();
        let sizes = recipe.passes();
        // The largest first: what does not fit is refused before anything is allocated.
        let plan = nodes.plan(sizes[0], &limits)?;
        let layout = plan.weights.clone();
        let weights = Weights::for_training(device, &layout).await?;
        let (adam, norm) = optimiser(&layout, &limits)?;
        let optimiser = Runner::new(adam, &weights, Reads::Always(norm)).await?;
        let mut plans = vec![plan];
        if let Some(rest) = sizes.last().filter(|last| **last != sizes[0]) {
            plans.push(nodes.plan(*rest, &limits)?);
        }
        let mut passes = Vec::new();
        for plan in plans {
            passes.push(Runner::new(plan, &weights, Reads::Always(nodes.loss)).await?);
        }
        let features = config
            .time_table()
            .map_or(0, |shape| shape.iter().product());
        Ok(Self {
            schedule: scheduler.schedule()?,
            config,
            scheduler,
            labels,
            recipe,
            step: 0,
            features: vec![0.0; features],
            data,
            device: device.clone(),
            unet,
            nodes,
            weights,
            passes,
            optimiser,
        })
    }

    /// Submits one step. The report comes when the device gets there; the next step may be submitted before.
    pub async fn submit(&mut self) -> Result<PendingReport, Error> {
        let (c, h, w) = self.image();
        let objective = Objective {
            data: &self.data,
            schedule: &self.schedule,
            prediction: self.scheduler.prediction_type,
            image: (c, h, w),
            any: self.labels.as_ref().and_then(|l| l.any),
            has_classes: self.labels.is_some(),
        };
        let batch = objective.batch(&self.recipe, self.step);
        let mut first = 0;
        let mut losses = Vec::new();
        for size in self.recipe.passes() {
            let range = first..first + size;
            losses.push(self.pass(&batch, range.clone(), c * h * w).await?);
            first = range.end;
        }
        let numbers = self.recipe.adam(self.step);
        let layout = self.weights.layout().clone();
        for (index, len) in layout.buffers.iter().enumerate() {
            let kernel = AdamKernel {
                len: *len,
                numbers: Some(numbers),
            };
            // Sums of squares for each buffer, their root, then Adam for each buffer.
            self.optimiser
                .set_kernel(layout.buffers.len() + 1 + index, kernel);
        }
        let norm = self.optimiser.run_and_read().await?;
        self.step += 1;
        Ok(PendingReport {
            step: self.step,
            rate: numbers.rate,
            timesteps: batch.timesteps.iter().map(|t| *t as usize).collect(),
            weights: batch.weights,
            losses,
            norm,
        })
    }

    async fn pass(
        &mut self,
        batch: &Batch,
        range: std::ops::Range<usize>,
        len: usize,
    ) -> Result<Readback, Error> {
        let features = TimeFeatures::with_table(&self.config, self.features.clone());
        let mut passes = self.passes.iter_mut();
        let Some(runner) = passes.find(|pass| pass.plan.batch == range.len()) else {
            return Err(Error::input(format!(
                "there is no pass over {} pictures",
                range.len()
            )));
        };
        let elements = range.start * len..range.end * len;
        runner.write(self.unet.sample, &batch.sample[elements.clone()]);
        runner.write(self.nodes.target, &batch.target[elements]);
        let timesteps = &batch.timesteps[range.clone()];
        write_time(runner, &self.unet, &features, timesteps)?;
        if let Some(labels) = self.unet.labels {
            runner.write(labels, &batch.labels[range.clone()]);
        }
        // The gradient of the mean over the whole batch.
        let share = 1.0 / (batch.weights.len() * len) as f64;
        let weights = batch.weights[range].iter();
        let shares: Vec<f32> = weights.map(|w| (f64::from(*w) * share) as f32).collect();
        runner.write(self.nodes.weight, &shares);
        runner.run_and_read().await
    }

    /// Channels, height and width of the images.
    pub fn image(&self) -> (usize, usize, usize) {
        let shape = self.unet.graph.shape(self.unet.sample);
        (shape.c, shape.h, shape.w)
    }

    /// The network with the averaged weights as they are now, and as further steps will make them; without `averaged`
    /// with those that the last step left.
    pub fn network(&self, averaged: bool) -> Network {
        Network::of_training(
            self.config.clone(),
            self.labels.clone(),
            self.device.clone(),
            TimeFeatures::with_table(&self.config, self.features.clone()),
            self.unet.clone(),
            match averaged {
                true => self.weights.averaged(),
                false => self.weights.clone(),
            },
        )
    }

    /// All that a later [`Trainer::resume`] needs, once the device has done what was submitted.
    pub async fn state(&self) -> Result<State, Error> {
        let mut stores = Vec::new();
        for store in [Store::Weights, Store::Mean, Store::Square, Store::Ema] {
            stores.push((store, self.numbers(store).await?));
        }
        Ok(State {
            config: self.config.clone(),
            scheduler: self.scheduler.clone(),
            recipe: self.recipe.clone(),
            step: self.step,
            tuning: self.device.tuning(),
            data: self.data.fingerprint(),
            features: self.features.clone(),
            stores,
        })
    }

    /// A store's numbers, parameter after parameter, once the device has done what was submitted.
    pub async fn numbers(&self, store: Store) -> Result<Vec<f32>, Error> {
        let buffers = self.weights.read_store(store).await?;
        let slots = &self.weights.layout().slots;
        // Four of these are held at once: grown by doubling, they took up to twice as much.
        let mut numbers = Vec::with_capacity(slots.iter().map(|slot| slot.len).sum());
        for slot in slots {
            numbers.extend_from_slice(&buffers[slot.buffer][slot.range()]);
        }
        Ok(numbers)
    }

    /// The tensors of a checkpoint, names, shapes and values, out of a store's numbers as [`Trainer::state`] has them.
    pub fn tensors(&self, numbers: &[f32]) -> Result<Vec<NamedTensor>, Error> {
        let pieces = self.pieces(numbers)?;
        let params = self.unet.graph.params();
        let tensors = self.unet.tensors.iter().map(|(name, shape)| {
            let mut values = vec![0.0; shape.iter().product()];
            if name == "time_proj.weight" {
                values.copy_from_slice(&self.features);
            }
            for (param, storage) in params.iter().zip(&pieces) {
                if let Some(part) = param.parts.iter().position(|part| part.name == *name) {
                    param.load(part, storage, &mut values);
                }
            }
            (name.clone(), shape.clone(), values)
        });
        Ok(tensors.collect())
    }

    /// One piece a parameter, out of all of them one after the other.
    fn pieces<'a>(&self, numbers: &'a [f32]) -> Result<Vec<&'a [f32]>, Error> {
        let lens = || {
            self.unet
                .graph
                .params()
                .iter()
                .map(|p| p.kind.storage_len())
        };
        if numbers.len() != lens().sum::<usize>() {
            return Err(another_network());
        }
        let mut rest = numbers;
        let mut pieces = Vec::new();
        for len in lens() {
            let (piece, after) = rest.split_at(len);
            pieces.push(piece);
            rest = after;
        }
        Ok(pieces)
    }
}

fn another_network() -> Error {
    Error::input("the checkpoint of the training belongs to another network")
}
