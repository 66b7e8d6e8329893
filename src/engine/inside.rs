//! What a network consists of and what it computes on the way: its operations, their results for one input, its tensors.

use serde::Serialize;

use super::network::Network;
use super::timing::Timing;
use crate::Error;
use crate::graph::{Node, Plan, Value};

/// An operation of a network's graph; those that it reads stand before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkOperation {
    /// As [`Operation::name`](crate::graph::Operation::name) has it.
    pub operation: &'static str,
    /// The numbers that it is made with, by their names: a convolution's `kernel`, `stride` and `padding`, say.
    pub numbers: Vec<(&'static str, f64)>,
    /// The operations whose results it reads, by their places in the list.
    pub inputs: Vec<usize>,
    /// The checkpoint's tensors that it reads.
    pub tensors: Vec<String>,
    /// Channels, height and width of its result for one picture; a vector has 1 and 1.
    pub shape: Vec<usize>,
    /// The kernel that makes the result in a pass of the network; none where a later operation's kernel takes it in.
    pub kernel: Option<&'static str>,
    /// Which of the pass's dispatches that is.
    pub call: Option<usize>,
    /// Of that kernel, for one picture: 2 per multiply-add of convolutions, linear layers and attention's two products.
    pub flops: u64,
}

impl Network {
    /// The operations in an order in which each one's inputs precede it.
    ///
    /// # Errors
    /// If a single picture exceeds the device's limits.
    pub fn operations(&self) -> Result<Vec<NetworkOperation>, Error> {
        let graph = &self.unet.graph;
        let plan = Plan::new(graph, 1, &[self.unet.output], &self.device.limits())?;
        let describe = |(place, node): (usize, &Node)| {
            let at = plan.call_writing(Value(place));
            let call = at.map(|at| &plan.calls[at]);
            let params = node.params.iter().map(|p| &graph.params()[p.0]);
            NetworkOperation {
                operation: node.op.name(),
                numbers: node.op.numbers(),
                inputs: node.inputs.iter().map(|v| v.0).collect(),
                tensors: params
                    .flat_map(|param| param.parts.iter().map(|part| part.name.clone()))
                    .collect(),
                shape: vec![node.shape.c, node.shape.h, node.shape.w],
                kernel: call.map(|call| call.kernel.name()),
                call: at,
                flops: call.map_or(0, |call| call.kernel.flops()),
            }
        };
        Ok(graph.nodes().iter().enumerate().map(describe).collect())
    }

    /// The place of the operation whose result is the network's output.
    pub fn output(&self) -> usize {
        self.unet.output.0
    }

    /// The results of the operations at `places`, each `[N,C,H,W]`, in a pass as [`Network::predict`] does it. Nothing is
    /// computed that they do not need.
    ///
    /// # Errors
    /// If the input is not the network's, a place is none of [`Network::operations`] or is an `embedding`, which only exists
    /// added to what a linear layer makes, or all these results at once exceed the device's limits.
    pub async fn activations(
        &self,
        sample: &[f32],
        timesteps: &[f32],
        labels: Option<&[f32]>,
        places: &[usize],
    ) -> Result<Vec<Vec<f32>>, Error> {
        let timing = Timing::default();
        let pass = self.timed_activations(sample, timesteps, labels, places, timing);
        pass.await
    }

    /// Likewise, as often as `timing` says; where that has a clock, last come the ticks when each of the pass's dispatches
    /// began and when it ended, as U64: nothing where the adapter has no timestamps.
    ///
    /// # Errors
    /// As [`Network::activations`] has them.
    pub async fn timed_activations(
        &self,
        sample: &[f32],
        timesteps: &[f32],
        labels: Option<&[f32]>,
        places: &[usize],
        timing: Timing,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let all = self.unet.graph.nodes().len();
        if let Some(place) = places.iter().find(|place| **place >= all) {
            return Err(Error::input(format!(
                "there is no operation {place}; the network has 0 to {}",
                all - 1
            )));
        }
        let values: Vec<Value> = places.iter().map(|place| Value(*place)).collect();
        let pass = self.pass(sample, timesteps, labels, &values, timing);
        pass.await
    }

    /// The numbers of the checkpoint's tensor `name` as the device holds them, row-major.
    ///
    /// # Errors
    /// If the network computes with no tensor of that name, or the device fails.
    pub async fn tensor(&self, name: &str) -> Result<Vec<f32>, Error> {
        let mut tensor = Vec::new();
        for (index, param) in self.unet.graph.params().iter().enumerate() {
            if !param.parts.iter().any(|part| part.name == name) {
                continue;
            }
            let storage = self.weights.read(index, param).await?;
            for (i, part) in param.parts.iter().enumerate() {
                if part.name == name {
                    tensor.resize(param.part_shape(i).iter().product(), 0.0);
                    param.load(i, &storage, &mut tensor);
                }
            }
        }
        if tensor.is_empty() {
            return Err(Error::input(format!(
                "the network computes with no tensor named {name}"
            )));
        }
        Ok(tensor)
    }
}
