//! What a step of training computes, as plans: the pass over a batch, forward and back, and the optimiser.

use crate::graph::Input;
use crate::graph::plan::{Limits, WeightLayout};
use crate::graph::{Graph, GraphError, Plan, Shape, Value};
use crate::model::UNet;
use crate::ops::adam::{AdamStep, GradientNorm};
use crate::ops::backward;
use crate::ops::loss::{Loss, LossGradient, LossKind};

/// The nodes that a pass of training adds to a network's graph.
pub struct TrainingNodes {
    pub graph: Graph,
    pub target: Value,
    pub weight: Value,
    pub loss: Value,
    /// The outputs to plan: the gradients, and last the loss.
    pub outputs: Vec<Value>,
}

impl TrainingNodes {
    /// Forward and backward pass of `unet`, with its gradients.
    pub fn new(unet: &UNet, kind: LossKind) -> Result<Self, GraphError> {
        let mut graph = unet.graph.clone();
        let shape = graph.shape(unet.output);
        let target = graph.push(Input { shape }, &[], &[])?;
        let one = Shape::vector(1);
        let weight = graph.push(Input { shape: one }, &[], &[])?;
        let loss = graph.push(Loss(kind), &[unet.output, target], &[])?;
        let seed = graph.push(LossGradient(kind), &[unet.output, target, weight], &[])?;
        let outputs = vec![backward(&mut graph, unet.output, seed)?, loss];
        Ok(Self {
            graph,
            target,
            weight,
            loss,
            outputs,
        })
    }

    /// Plans a pass over `batch` pictures.
    pub fn plan(&self, batch: usize, limits: &Limits) -> Result<Plan, GraphError> {
        Plan::new(&self.graph, batch, &self.outputs, limits)
    }
}

/// The optimiser's plan over buffers of `layout`, and the node of the gradient's norm.
pub fn optimiser(layout: &WeightLayout, limits: &Limits) -> Result<(Plan, Value), GraphError> {
    let mut graph = Graph::new();
    let buffers = layout.buffers.clone();
    let norm = graph.push(
        GradientNorm {
            buffers: buffers.clone(),
        },
        &[],
        &[],
    )?;
    let step = graph.push(AdamStep { buffers }, &[norm], &[])?;
    Ok((Plan::new(&graph, 1, &[step, norm], limits)?, norm))
}
