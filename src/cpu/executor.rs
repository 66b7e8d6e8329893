//! A plan on the processor.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use crate::graph::arena::Slot;
use crate::graph::lower::{Operand, Store};
use crate::graph::plan::WeightLayout;
use crate::graph::{Plan, Value};

/// The buffers of one store.
type Buffers = Rc<RefCell<Vec<Vec<f32>>>>;

/// A model's parameters in memory, and in training what belongs to them; plans of every batch size share them.
pub struct CpuWeights {
    stores: [Buffers; Store::COUNT],
    pub layout: WeightLayout,
}

impl CpuWeights {
    /// Memory for the weights.
    pub fn new(layout: &WeightLayout) -> Self {
        Self::with_stores(layout, 1)
    }

    /// Memory for all stores, filled with zeros.
    pub fn for_training(layout: &WeightLayout) -> Self {
        Self::with_stores(layout, Store::COUNT)
    }

    fn with_stores(layout: &WeightLayout, count: usize) -> Self {
        let zeros = || layout.buffers.iter().map(|len| vec![0.0; *len]).collect();
        Self {
            stores: std::array::from_fn(|store| match store < count {
                true => Rc::new(RefCell::new(zeros())),
                false => Buffers::default(),
            }),
            layout: layout.clone(),
        }
    }

    /// The same memory with the moving average in the place of the weights: the network that sampling uses.
    pub fn averaged(&self) -> Self {
        Self {
            stores: std::array::from_fn(|store| match store {
                0 => Rc::clone(&self.stores[Store::Ema as usize]),
                _ => Buffers::default(),
            }),
            layout: self.layout.clone(),
        }
    }

    /// The buffers of a store.
    pub fn buffers(&self, store: Store) -> Ref<'_, Vec<Vec<f32>>> {
        self.stores[store as usize].borrow()
    }

    /// Likewise, for writing.
    pub fn buffers_mut(&self, store: Store) -> RefMut<'_, Vec<Vec<f32>>> {
        self.stores[store as usize].borrow_mut()
    }

    /// Writes parameter `index`, in the layout that [`Param::store`](crate::graph::Param::store) makes.
    pub fn write(&self, index: usize, storage: &[f32]) {
        let slot = self.layout.slots[index];
        self.buffers_mut(Store::Weights)[slot.buffer][slot.range()].copy_from_slice(storage);
    }

    /// Where an operand that is no value lives.
    fn place(&self, operand: Operand) -> (Store, Slot) {
        match operand {
            Operand::Gradient(p) => (Store::Gradients, self.layout.slots[p.0]),
            Operand::Whole(store, index) => (store, self.layout.whole(index)),
            Operand::Param(p) => (Store::Weights, self.layout.slots[p.0]),
            Operand::Value(_) => (Store::Weights, Slot::default()),
        }
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
        kernel: &dyn crate::graph::Kernel,
    ) {
        let call = &plan.calls[index];
        let slot = |v: &Value| plan.slot(*v).unwrap_or_default();
        // What is written is taken out of its memory for the time of the call, so that the rest can be lent.
        let mut written: Vec<Vec<f32>> = call
            .writes
            .iter()
            .map(|operand| match operand {
                Operand::Value(v) => self.slice(slot(v)).to_vec(),
                other => {
                    let (store, slot) = weights.place(*other);
                    weights.buffers(store)[slot.buffer][slot.range()].to_vec()
                }
            })
            .collect();
        {
            let stores: [Ref<Vec<Vec<f32>>>; Store::COUNT] =
                std::array::from_fn(|store| weights.stores[store].borrow());
            let reads: Vec<&[f32]> = call
                .reads
                .iter()
                .map(|operand| match operand {
                    Operand::Value(v) => self.slice(slot(v)),
                    other => {
                        let (store, slot) = weights.place(*other);
                        &stores[store as usize][slot.buffer][slot.range()]
                    }
                })
                .collect();
            let mut writes: Vec<&mut [f32]> = written.iter_mut().map(Vec::as_mut_slice).collect();
            kernel.compute(&reads, &mut writes);
        }
        for (operand, data) in call.writes.iter().zip(&written) {
            match operand {
                Operand::Value(v) => self.slice_mut(slot(v)).copy_from_slice(data),
                other => {
                    let (store, slot) = weights.place(*other);
                    weights.buffers_mut(store)[slot.buffer][slot.range()].copy_from_slice(data);
                }
            }
        }
    }

    /// Runs the whole plan.
    pub fn run(&mut self, plan: &Plan, weights: &CpuWeights) {
        for index in 0..plan.calls.len() {
            self.run_call(plan, weights, index);
        }
    }
}
