//! The variational bound of one picture on the device: the network's answers at chosen timesteps, term by term.

use std::collections::VecDeque;

use super::network::Network;
use super::runner::{Reads, Runner};
use super::sampler::class_labels;
use crate::Error;
use crate::diffusion::likelihood::{BoundRequest, Measurement, Term};
use crate::graph::Plan;

/// A measurement in progress.
pub struct Likelihood<'n> {
    network: &'n Network,
    runner: Runner,
    measurement: Measurement,
    ready: VecDeque<Term>,
}

/// Evaluations in one run of the network: on a processor few, so that the terms come steadily.
const BATCH: usize = 16;
const BATCH_IN_SOFTWARE: usize = 4;
/// A batch is made smaller until its arena has at most this many bytes.
const ARENA: u64 = 512 << 20;

impl<'n> Likelihood<'n> {
    /// Plans the runs for `x0`, `[C,H,W]` of bytes as v/127.5 − 1. `class` as in sampling.
    ///
    /// # Errors
    /// If the picture, the class or the numbers in `request` do not fit the network and its schedule.
    pub async fn new(
        network: &'n Network,
        request: &BoundRequest,
        class: Option<usize>,
        x0: &[f32],
    ) -> Result<Self, Error> {
        let (c, h, w) = network.image();
        if x0.len() != c * h * w {
            return Err(Error::input(format!(
                "the picture has {} numbers, and the network wants {c}×{h}×{w}",
                x0.len()
            )));
        }
        let measurement = Measurement::new(request, x0)?;
        for t in [0, measurement.total_timesteps() - 1] {
            network.check_timestep(t as f32)?;
        }
        let most = if network.device.is_software() {
            BATCH_IN_SOFTWARE
        } else {
            BATCH
        };
        let (mut batch, limits) = (most.min(measurement.left()), network.device.limits());
        let plan = loop {
            let plan = Plan::new(&network.unet.graph, batch, &[network.unet.output], &limits);
            match plan {
                Ok(plan) if batch == 1 || plan.arena_bytes() <= ARENA => break plan,
                Err(e) if batch == 1 => return Err(e.into()),
                _ => batch /= 2,
            }
        };
        let mut runner = Runner::new(plan, &network.weights, Reads::Nothing).await?;
        let labels = class_labels(network, class, batch, false, None)?;
        network.write_labels(&mut runner, labels.as_deref(), batch)?;
        runner.prepare_read(network.unet.output).await?;
        Ok(Self {
            network,
            runner,
            measurement,
            ready: VecDeque::new(),
        })
    }

    /// What is known of the whole.
    pub fn measurement(&self) -> &Measurement {
        &self.measurement
    }

    /// The next term, from the noisiest timestep down; `None` after the last.
    ///
    /// # Errors
    /// If the device fails, or a term is not finite.
    pub async fn next(&mut self) -> Result<Option<Term>, Error> {
        while self.ready.is_empty() && self.measurement.left() > 0 {
            self.run().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Evaluates the network once more, at as many timesteps as the batch has room for.
    async fn run(&mut self) -> Result<(), Error> {
        let (unet, batch) = (&self.network.unet, self.runner.plan.batch);
        let count = batch.min(self.measurement.left());
        let next = self.measurement.next_timesteps(count);
        let mut timesteps: Vec<f32> = next.map(|t| (t - 1) as f32).collect();
        // Padding, where fewer are left than the batch holds; its output is ignored.
        let last = timesteps.last().copied().unwrap_or(0.0);
        timesteps.resize(batch, last);
        let mut inputs = self.measurement.draw(count).to_vec();
        inputs.resize(inputs.len() / count * batch, 0.0);
        self.runner.write(unet.sample, &inputs);
        self.network.write_time(&mut self.runner, &timesteps)?;
        self.runner.run(false).await?;
        let outputs = self.runner.read(unet.output).await?;
        let whole = outputs.len() / batch * count;
        self.ready.extend(self.measurement.take(&outputs[..whole])?);
        Ok(())
    }
}
