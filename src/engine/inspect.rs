//! What a step costs, known before anything is allocated.

use serde::Serialize;

use super::batches;
use super::chain::ChainNodes;
use super::sampler::chain_op;
use crate::Error;
use crate::graph::Plan;
use crate::graph::lower::Store;
use crate::graph::plan::Limits;
use crate::model::UNet;
use crate::ops::loss::LossKind;
use crate::train::plans::{TrainingNodes, optimiser};

/// Costs of one step of the reverse chain: the network and the solver, without the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    pub parameters: u64,
    pub flops_per_step: u64,
    pub dispatches_per_step: u64,
    pub submits_per_step: u64,
    pub arena_bytes: u64,
    pub weight_bytes: u64,
}

impl Inspection {
    /// Plans a step of `batch` pictures under `limits` and counts; all together where it takes several batches.
    pub fn of(unet: &UNet, batch: usize, limits: &Limits) -> Result<Self, Error> {
        if batch == 0 {
            return Err(Error::input("the batch must be at least 1"));
        }
        let plan = |batch| {
            let mut graph = unet.graph.clone();
            let shape = graph.shape(unet.sample);
            let op = chain_op(unet, batch, false, false);
            let image = (shape.c, shape.h, shape.w);
            let nodes = ChainNodes::push(&mut graph, unet.output, unet.sample, op, image)?;
            Plan::new(&graph, batch, &[nodes.step, nodes.picture], limits)
        };
        let plans = batches::sizes(batch, &mut |n| plan(n).map(|_| ()))?
            .into_iter()
            .map(plan)
            .collect::<Result<Vec<Plan>, _>>()?;
        Ok(Self {
            parameters: unet.parameters(),
            flops_per_step: plans.iter().map(Plan::flops).sum(),
            // the last call draws
            dispatches_per_step: plans.iter().map(|p| p.calls.len() as u64 - 1).sum(),
            submits_per_step: plans.len() as u64,
            arena_bytes: plans.iter().map(Plan::arena_bytes).sum(),
            weight_bytes: plans.first().map_or(0, |p| p.weights.bytes()),
        })
    }
}

/// Costs of one step of training, known before anything is allocated: forward and backward pass over a batch, and Adam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TrainingInspection {
    pub parameters: u64,
    pub flops_per_step: u64,
    pub dispatches_per_step: u64,
    pub submits_per_step: u64,
    /// Activations that the backward pass needs, gradients of activations, and sums in parts.
    pub arena_bytes: u64,
    /// Weights, their gradients, Adam's two moments and the moving average.
    pub weight_bytes: u64,
}

impl TrainingInspection {
    /// Plans a step over `batch` pictures at a time under `limits` and counts.
    pub fn of(unet: &UNet, batch: usize, limits: &Limits) -> Result<Self, Error> {
        if batch == 0 {
            return Err(Error::input("the batch must be at least 1"));
        }
        let nodes = TrainingNodes::new(unet, LossKind::Squared)?;
        let plan = nodes.plan(batch, limits)?;
        let (adam, _) = optimiser(&plan.weights, limits)?;
        Ok(Self {
            parameters: unet.parameters(),
            flops_per_step: plan.flops(),
            dispatches_per_step: (plan.calls.len() + adam.calls.len()) as u64,
            submits_per_step: 2,
            arena_bytes: plan.arena_bytes() + adam.arena_bytes(),
            weight_bytes: Store::COUNT as u64 * plan.weights.bytes(),
        })
    }
}
