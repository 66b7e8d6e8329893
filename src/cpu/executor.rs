//! A plan on the processor.

use crate::graph::arena::Slot;
use crate::graph::lower::Operand;
use crate::graph::plan::WeightLayout;
use crate::graph::{Plan, Value};

/// A model's parameters in memory; plans of every batch size share them.
pub struct CpuWeights {
    buffers: Vec<Vec<f32>>,
    layout: WeightLayout,
}

impl CpuWeights {
    pub fn new(layout: &WeightLayout) -> Self {
        Self {
            buffers: layout.buffers.iter().map(|len| vec![0.0; *len]).collect(),
            layout: layout.clone(),
        }
    }

    /// Writes parameter `index`, in the layout that [`Param::store`](crate::graph::Param::store) makes.
    pub fn write(&mut self, index: usize, storage: &[f32]) {
        let slot = self.layout.slots[index];
        self.buffers[slot.buffer][slot.range()].copy_from_slice(storage);
    }
}

/// A plan's memory.
pub struct CpuExecutor {
    arena: Vec<Vec<f32>>,
}

impl CpuExecutor {
    pub fn new(plan: &Plan) -> Self {
        Self {
            arena: plan.arena.iter().map(|len| vec![0.0; *len]).collect(),
        }
    }

    pub fn slice(&self, slot: Slot) -> &[f32] {
        &self.arena[slot.buffer][slot.range()]
    }

    pub fn slice_mut(&mut self, slot: Slot) -> &mut [f32] {
        &mut self.arena[slot.buffer][slot.range()]
    }

    /// A value as numbers, empty if the plan does not hold it.
    pub fn value(&self, plan: &Plan, v: Value) -> &[f32] {
        plan.slot(v).map_or(&[], |slot| self.slice(slot))
    }

    /// Runs call `index` of the plan.
    pub fn run_call(&mut self, plan: &Plan, weights: &CpuWeights, index: usize) {
        let kernel = plan.calls[index].kernel.clone();
        self.run_kernel(plan, weights, index, &*kernel);
    }

    /// Runs `kernel` on the operands of call `index`.
    pub fn run_kernel(
        &mut self,
        plan: &Plan,
        weights: &CpuWeights,
        index: usize,
        kernel: &dyn crate::ops::Kernel,
    ) {
        let call = &plan.calls[index];
        let slot = |v: &Value| plan.slot(*v).unwrap_or_default();
        // What is written is taken out of the arena for the time of the call, so that the rest can be lent.
        let mut written: Vec<Vec<f32>> = call
            .writes
            .iter()
            .map(|v| self.slice(slot(v)).to_vec())
            .collect();
        let reads: Vec<&[f32]> = call
            .reads
            .iter()
            .map(|operand| match operand {
                Operand::Value(v) => self.slice(slot(v)),
                Operand::Param(p) => {
                    let slot = weights.layout.slots[p.0];
                    &weights.buffers[slot.buffer][slot.range()]
                }
            })
            .collect();
        let mut writes: Vec<&mut [f32]> = written.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.compute(&reads, &mut writes);
        for (v, data) in call.writes.iter().zip(&written) {
            self.slice_mut(slot(v)).copy_from_slice(data);
        }
    }

    /// Runs the whole plan.
    pub fn run(&mut self, plan: &Plan, weights: &CpuWeights) {
        for index in 0..plan.calls.len() {
            self.run_call(plan, weights, index);
        }
    }
}
