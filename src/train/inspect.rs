//! What a step of training costs, known before anything is allocated.

use serde::Serialize;

use super::plans::{TrainingNodes, optimiser};
use crate::Error;
use crate::graph::lower::Store;
use crate::graph::plan::Limits;
use crate::model::UNet;
use crate::ops::loss::LossKind;

/// Costs of one step of training: forward and backward pass over a batch, and Adam.
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
