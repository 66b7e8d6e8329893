//! A model's U-Net, loaded on a device.

use super::batches;
use super::runner::{Reads, Runner};
use super::timing::Timing;
use super::weights::Weights;
use super::{Device, Inspection};
use crate::Error;
use crate::graph::{Plan, Value};
use crate::model::{Checkpoint, ClassLabels, Config, Labels, TimeFeatures, UNet};
use crate::order::order;

/// How many bytes of weights may be on their way to the device, which holds them twice for so long.
const ON_THE_WAY: usize = 16 << 20;

/// A U-Net with its weights on a device, for images of one size and any batch.
pub struct Network {
    pub config: Config,
    pub labels: Option<Labels>,
    pub(crate) device: Device,
    features: TimeFeatures,
    pub(crate) unet: UNet,
    pub(crate) weights: Weights,
}

impl Network {
    /// Builds the U-Net of `checkpoint` for images of `size` (height, width; the configuration's where `None`), checks
    /// that every tensor is there and that the device has room, and uploads them one by one. `progress` gets the part
    /// that is done, 0…1, after each.
    pub async fn load(
        device: &Device,
        checkpoint: &Checkpoint,
        size: Option<(usize, usize)>,
        mut progress: impl FnMut(f64),
    ) -> Result<(Self, Vec<String>), Error> {
        let config = checkpoint.config.clone();
        let (h, w) = config.image_size(size)?;
        let mut unet = UNet::spread(&config, h, w, device.limits().bound_elements())?;
        if let Device::Gpu(_) = device {
            checkpoint.hold(&mut unet.graph);
        }
        let params = unet.graph.params();
        let mut warnings = checkpoint.warnings.clone();
        let names = unet.tensors.iter().map(|(n, s)| (n.as_str(), s.clone()));
        warnings.extend(checkpoint.check(names)?);
        let features = TimeFeatures::new(&config, checkpoint)?;

        let plan = Plan::new(&unet.graph, 1, &[unet.output], &device.limits())?;
        let weights = Weights::new(device, &plan.weights).await?;
        // In the order in which they lie in their files, which may still be arriving.
        let mut parts = Vec::new();
        for (index, param) in params.iter().enumerate() {
            for (i, part) in param.parts.iter().enumerate() {
                parts.push((checkpoint.place(&part.name), index, i));
            }
        }
        let order = order(parts.len(), &|a, b| parts[a].cmp(&parts[b]));
        // Of each parameter what is there, and how many of its parts.
        let mut begun = vec![(Vec::new(), 0); params.len()];
        let mut written = 0;
        for (done, at) in order.into_iter().enumerate() {
            let (_, index, i) = parts[at];
            let (param, (storage, there)) = (&params[index], &mut begun[index]);
            let name = &param.parts[i].name;
            if let Some(arrival) = checkpoint.arrival(name) {
                arrival.await;
            }
            let tensor = checkpoint.tensor_f32(name, &param.part_shape(i))?;
            storage.resize(param.kind.storage_len(), 0.0);
            param.store(i, &tensor, storage);
            *there += 1;
            if *there == param.parts.len() {
                weights.write(index, param, storage);
                written += 4 * storage.len();
                *storage = Vec::new();
            }
            if written >= ON_THE_WAY {
                weights.finished().await?;
                written = 0;
            }
            progress((done + 1) as f64 / parts.len() as f64);
        }
        weights.finished().await?;
        let network = Self {
            labels: checkpoint.labels.clone(),
            config,
            device: device.clone(),
            features,
            unet,
            weights,
        };
        Ok((network, warnings))
    }

    /// The network of a training, on the training's own memory.
    pub(crate) fn of_training(
        config: Config,
        labels: Option<Labels>,
        device: Device,
        features: TimeFeatures,
        unet: UNet,
        weights: Weights,
    ) -> Self {
        Self {
            config,
            labels,
            device,
            features,
            unet,
            weights,
        }
    }

    /// The same network, on the same weights, for images of another size.
    ///
    /// # Errors
    /// If the configuration does not allow the size; the sentence says which it does.
    pub fn at_size(&self, height: usize, width: usize) -> Result<Self, Error> {
        let (h, w) = self.config.image_size(Some((height, width)))?;
        let mut unet = UNet::spread(&self.config, h, w, self.device.limits().bound_elements())?;
        let params = self.unet.graph.params();
        unet.graph.hold(|index, _| params[index].held);
        Ok(Self {
            config: self.config.clone(),
            labels: self.labels.clone(),
            device: self.device.clone(),
            features: self.features.clone(),
            unet,
            weights: self.weights.clone(),
        })
    }

    /// Channels, height and width of the images.
    pub fn image(&self) -> (usize, usize, usize) {
        let shape = self.unet.graph.shape(self.unet.sample);
        (shape.c, shape.h, shape.w)
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Costs of a step at `batch`, on this device.
    pub fn inspect(&self, batch: usize) -> Result<Inspection, Error> {
        Inspection::of(&self.unet, batch, &self.device.limits())
    }

    /// The network's output for `sample` `[N,C,H,W]` at each sample's timestep (0…T−1). `labels` are those that
    /// [`Config::class_labels`] asks for: N whole numbers, or `[N,E]`. A batch that the device's limits do not allow goes
    /// through the network in several.
    pub async fn predict(
        &self,
        sample: &[f32],
        timesteps: &[f32],
        labels: Option<&[f32]>,
    ) -> Result<Vec<f32>, Error> {
        let values = [self.unet.output];
        let pass = self.pass(sample, timesteps, labels, &values, Timing::default());
        Ok(pass.await?.pop().unwrap_or_default())
    }

    /// As [`Network::predict`], with what `values` are on the way, each of the whole batch; nothing is computed that they do
    /// not need. Where `timing` has a clock, the ticks of [`Runner::run_timed`] come last.
    pub(super) async fn pass(
        &self,
        sample: &[f32],
        timesteps: &[f32],
        labels: Option<&[f32]>,
        values: &[Value],
        timing: Timing,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let (c, h, w) = self.image();
        let batch = timesteps.len();
        if batch == 0 || sample.len() != batch * c * h * w {
            return Err(Error::input(format!(
                "the sample has {} numbers and the network wants {batch}×{c}×{h}×{w}, one image a timestep",
                sample.len()
            )));
        }
        self.check_labels(labels, batch)?;
        for t in timesteps {
            self.check_timestep(*t)?;
        }
        let limits = self.device.limits();
        let plan = |n| Plan::new(&self.unet.graph, n, values, &limits);
        let mut results = vec![Vec::new(); values.len() + usize::from(timing.clock.is_some())];
        let mut first = 0;
        let mut runner: Option<Runner> = None;
        let mut made = None;
        let sizes = batches::sizes(batch, &mut |n| {
            made = Some(plan(n)?);
            Ok(())
        })?;
        for n in sizes {
            let mut fitting = match runner.take().filter(|r| r.plan.batch == n) {
                Some(runner) => runner,
                None => {
                    let plan = match made.take() {
                        Some(first) => first,
                        None => plan(n)?,
                    };
                    Runner::new(plan, &self.weights, Reads::Nothing).await?
                }
            };
            let range = |each: usize| first * each..(first + n) * each;
            fitting.write(self.unet.sample, &sample[range(c * h * w)]);
            self.write_time(&mut fitting, &timesteps[range(1)])?;
            let labels = labels.map(|l| &l[range(l.len() / batch)]);
            self.write_labels(&mut fitting, labels, n)?;
            for _ in 0..=timing.again {
                fitting.run(false).await?;
            }
            if let Some(clock) = timing.clock {
                fitting.run_timed(clock);
            }
            for (i, result) in results.iter_mut().enumerate() {
                result.append(&mut fitting.read_back(values.get(i).copied()).await?);
            }
            runner = Some(fitting);
            first += n;
        }
        Ok(results)
    }

    /// Writes the inputs that depend on each sample's timestep.
    pub(crate) fn write_time(&self, runner: &mut Runner, timesteps: &[f32]) -> Result<(), Error> {
        write_time(runner, &self.unet, &self.features, timesteps)
    }

    /// # Errors
    /// If the network's time embedding has nothing for the timestep `t`.
    pub(crate) fn check_timestep(&self, t: f32) -> Result<(), Error> {
        Ok(self.features.check(t)?)
    }

    /// Whether `labels` are what the configuration asks for with `batch` samples.
    fn check_labels(&self, labels: Option<&[f32]>, batch: usize) -> Result<(), Error> {
        let wanted = self.config.class_labels();
        let labels = match (wanted, labels) {
            (ClassLabels::None, None) => return Ok(()),
            (ClassLabels::None, Some(_)) => {
                return Err(Error::input(
                    "class labels were given, and the model has no classes",
                ));
            }
            (_, None) => {
                return Err(Error::input(
                    "the model has classes, and no label was given",
                ));
            }
            (_, Some(labels)) => labels,
        };
        let each = match wanted {
            ClassLabels::Identity(len) => len,
            _ => 1,
        };
        if labels.len() != batch * each {
            return Err(Error::input(format!(
                "{} numbers of class labels were given, and a batch of {batch} needs {}",
                labels.len(),
                batch * each
            )));
        }
        if let ClassLabels::Table(rows) = wanted {
            let within = |l: &&f32| l.fract() == 0.0 && (0.0..rows as f32).contains(*l);
            if let Some(bad) = labels.iter().find(|l| !within(l)) {
                return Err(Error::input(format!(
                    "{bad} is no class label; the model has 0 to {}",
                    rows - 1
                )));
            }
        }
        Ok(())
    }

    /// Checks the labels against the configuration, and writes them.
    pub(crate) fn write_labels(
        &self,
        runner: &mut Runner,
        labels: Option<&[f32]>,
        batch: usize,
    ) -> Result<(), Error> {
        self.check_labels(labels, batch)?;
        if let (Some(value), Some(labels)) = (self.unet.labels, labels) {
            match self.config.class_labels() {
                ClassLabels::Timestep => runner.write(value, &self.features.rows(labels)?),
                _ => runner.write(value, labels),
            }
        }
        Ok(())
    }
}

/// Writes the inputs of `unet` that depend on each sample's timestep: its embedding, and where the network's output is
/// divided by t, that gain.
pub(crate) fn write_time(
    runner: &mut Runner,
    unet: &UNet,
    features: &TimeFeatures,
    timesteps: &[f32],
) -> Result<(), Error> {
    runner.write(unet.time, &features.rows(timesteps)?);
    if let Some(gain) = unet.gain {
        runner.write(gain, &unet.gain_rows(timesteps));
    }
    Ok(())
}
