//! A plan on the processor.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use crate::graph::arena::Slot;
use crate::graph::lower::Store;
use crate::graph::plan::{Place, WeightLayout};
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
}

/// A plan's memory.
pub struct CpuExecutor {
    arena: Vec<Vec<f32>>,
    /// What the kernel that runs writes; its memory is kept from one call to the next.
    written: Vec<Vec<f32>>,
}

impl CpuExecutor {
    pub fn new(plan: &Plan) -> Self {
        Self {
            arena: plan.arena.iter().map(|len| vec![0.0; *len]).collect(),
            written: Vec::new(),
        }
    }

    pub fn slice(&self, slot: Slot) -> &[f32] {
        &self.arena[slot.buffer][slot.range()]
    }

    pub fn slice_mut(&mut self, slot: Slot) -> &mut [f32] {
        &mut self.arena[slot.buffer][slot.range()]
    }

    /// A value as numbers; `None` if nothing that was planned needs it.
    pub fn value(&self, plan: &Plan, v: Value) -> Option<&[f32]> {
        plan.slot(v).map(|slot| self.slice(slot))
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
        // What the kernel writes is copied, because its other operands are borrowed from the same memory.
        let mut written = std::mem::take(&mut self.written);
        written.resize_with(call.writes.len().max(written.len()), Vec::new);
        for (place, copy) in call.writes.iter().zip(&mut written) {
            copy.clear();
            match *place {
                Place::Arena(slot) => copy.extend_from_slice(self.slice(slot)),
                Place::Store(store, slot) => {
                    copy.extend_from_slice(&weights.buffers(store)[slot.buffer][slot.range()]);
                }
                Place::Whole(store, buffer) => {
                    copy.extend_from_slice(&weights.buffers(store)[buffer]);
                }
            }
        }
        {
            let stores: [Ref<Vec<Vec<f32>>>; Store::COUNT] =
                std::array::from_fn(|store| weights.stores[store].borrow());
            let reads: Vec<&[f32]> = call
                .reads
                .iter()
                .map(|place| match *place {
                    Place::Arena(slot) => self.slice(slot),
                    Place::Store(store, slot) => &stores[store as usize][slot.buffer][slot.range()],
                    Place::Whole(store, buffer) => &stores[store as usize][buffer][..],
                })
                .collect();
            let mut writes: Vec<&mut [f32]> = written[..call.writes.len()]
                .iter_mut()
                .map(Vec::as_mut_slice)
                .collect();
            kernel.compute(&reads, &mut writes);
        }
        for (place, data) in call.writes.iter().zip(&written) {
            match *place {
                Place::Arena(slot) => self.slice_mut(slot).copy_from_slice(data),
                Place::Store(store, slot) => {
                    weights.buffers_mut(store)[slot.buffer][slot.range()].copy_from_slice(data);
                }
                Place::Whole(store, buffer) => {
                    weights.buffers_mut(store)[buffer].copy_from_slice(data);
                }
            }
        }
        self.written = written;
    }

    /// Runs the whole plan.
    pub fn run(&mut self, plan: &Plan, weights: &CpuWeights) {
        for index in 0..plan.calls.len() {
            self.run_call(plan, weights, index);
        }
    }
}
