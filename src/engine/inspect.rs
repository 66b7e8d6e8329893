//! What a step costs, known before anything is allocated.

use serde::Serialize;

use super::batches;
use super::chain::ChainNodes;
use super::sampler::chain_op;
use crate::Error;
use crate::graph::Plan;
use crate::graph::plan::Limits;
use crate::model::UNet;

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
            Plan::new(&graph, batch, &[nodes.step, nodes.drawing], limits)
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
