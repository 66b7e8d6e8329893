//! A plan: which kernels, in which order, on which slices of the arena. Made once per shape; a step re-encodes it.

use std::rc::Rc;

use super::arena::{self, ALIGN, Item, Slot};
use super::lower::{Call, Lowered, MOMENTS, Operand, Store};
use super::{Graph, GraphError, Input, Kernel, Lowering, ParamId, Value};

/// What an adapter allows, in bytes. The default is WebGPU's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_buffer: u64,
    pub max_binding: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_buffer: 256 << 20,
            max_binding: 128 << 20,
        }
    }
}

impl Limits {
    /// The most elements of a storage binding.
    pub fn bound_elements(&self) -> usize {
        self.elements()
            .min(usize::try_from(self.max_binding / 4).unwrap_or(usize::MAX))
    }

    fn elements(&self) -> usize {
        usize::try_from(self.max_buffer / 4).unwrap_or(usize::MAX)
    }
}

/// Where an operand lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A value, in the plan's own memory.
    Arena(Slot),
    /// A parameter, or what training keeps of it.
    Store(Store, Slot),
    /// A buffer of a store, by its number, as a whole: as long as the weights that the plan runs with make it.
    Whole(Store, usize),
}

impl Place {
    /// Elements that it is bound with, where the weights lie in `layout`.
    pub fn len(&self, layout: &WeightLayout) -> usize {
        match *self {
            Self::Arena(slot) | Self::Store(_, slot) => slot.len,
            Self::Whole(_, buffer) => layout.whole(buffer).len,
        }
    }
}

/// One kernel, and where the operands live that it reads and writes.
#[derive(Clone, Debug)]
pub struct PlannedCall {
    pub kernel: Rc<dyn Kernel>,
    pub reads: Vec<Place>,
    pub writes: Vec<Place>,
    /// The values that it writes.
    makes: Vec<Value>,
}

/// An operand before the arena is packed: a value by its place in the list of items.
enum Unplaced {
    Item(usize),
    Range(usize, usize, usize),
    Param(Store, ParamId),
    Whole(Store, usize),
}

/// Kernels in order, and where their operands live.
#[derive(Debug)]
pub struct Plan {
    pub batch: usize,
    pub calls: Vec<PlannedCall>,
    slots: Vec<Option<Slot>>,
    /// Lengths of the arena's buffers, in elements of four bytes.
    pub arena: Vec<usize>,
    pub weights: WeightLayout,
}

impl Plan {
    /// Plans what `outputs` need, for `batch` samples. Inputs and outputs keep their places for good; everything else
    /// shares. The error names what exceeds which limit.
    pub fn new(
        graph: &Graph,
        batch: usize,
        outputs: &[Value],
        limits: &Limits,
    ) -> Result<Self, GraphError> {
        let weights = WeightLayout::new(graph, limits)?;
        let Lowered {
            calls,
            scratch,
            parts,
        } = Lowering::run(graph, batch, outputs, &weights)?;
        let nodes = graph.nodes().len();
        let mut items: Vec<(Value, Item)> = Vec::new();
        let mut index = vec![None; nodes + scratch.len()];
        let mut operands = Vec::new();
        for (time, call) in calls.iter().enumerate() {
            let mut unplaced = |operand: &Operand| match *operand {
                Operand::Param(p) => Unplaced::Param(Store::Weights, p),
                Operand::Gradient(p) => Unplaced::Param(Store::Gradients, p),
                Operand::Whole(store, buffer) => Unplaced::Whole(store, buffer),
                Operand::Value(v) | Operand::Range(v, ..) => {
                    let at = *index[v.0].get_or_insert_with(|| {
                        let len = match v.0 < nodes {
                            true => {
                                let len = graph.shape(v).len(batch);
                                let most = parts[v.0]
                                    .map_or(0, |parts| parts.into_iter().fold(0, usize::max));
                                len + MOMENTS * most * len / graph.shape(v).pixels()
                            }
                            false => scratch[v.0 - nodes],
                        };
                        let (first, last) = (time, time);
                        items.push((v, Item { len, first, last }));
                        items.len() - 1
                    });
                    items[at].1.last = time;
                    match *operand {
                        Operand::Range(_, first, len) => Unplaced::Range(at, first, len),
                        _ => Unplaced::Item(at),
                    }
                }
            };
            let reads: Vec<Unplaced> = call.reads.iter().map(&mut unplaced).collect();
            let writes: Vec<Unplaced> = call.writes.iter().map(&mut unplaced).collect();
            operands.push((reads, writes));
        }
        for (v, item) in &mut items {
            let named = (v.0 < nodes).then(|| graph.node(*v));
            if named.is_some_and(|_| graph.op::<Input>(*v).is_some()) || outputs.contains(v) {
                (item.first, item.last) = (0, calls.len());
            }
            let need = 4 * item.len as u64;
            if need > limits.max_binding.min(limits.max_buffer) {
                return Err(GraphError::Limit {
                    what: named.map_or("a kernel's working memory".into(), |node| {
                        format!("the output of {} ({})", node.op.name(), node.shape)
                    }),
                    need,
                    limit: limits.max_binding.min(limits.max_buffer),
                    limit_name: "largest storage binding",
                });
            }
        }
        let (placed, arena) = arena::pack(
            &items.iter().map(|(_, item)| *item).collect::<Vec<_>>(),
            limits.elements(),
        );
        let place = |operand: Unplaced| match operand {
            Unplaced::Item(at) => Place::Arena(placed[at]),
            Unplaced::Range(at, first, len) => Place::Arena(Slot {
                offset: placed[at].offset + first,
                len,
                ..placed[at]
            }),
            Unplaced::Param(store, p) => Place::Store(store, weights.slots[p.0]),
            Unplaced::Whole(store, buffer) => Place::Whole(store, buffer),
        };
        let planned = |(call, (reads, writes)): (Call, (Vec<Unplaced>, Vec<Unplaced>))| {
            let makes = call.writes.iter().filter_map(Operand::value).collect();
            PlannedCall {
                kernel: call.kernel,
                reads: reads.into_iter().map(place).collect(),
                writes: writes.into_iter().map(place).collect(),
                makes,
            }
        };
        // A value's moments are its kernels' affair.
        let own = |v: usize, slot: Slot| Slot {
            len: match v < nodes {
                true => graph.shape(Value(v)).len(batch),
                false => slot.len,
            },
            ..slot
        };
        Ok(Self {
            batch,
            calls: calls.into_iter().zip(operands).map(planned).collect(),
            slots: index
                .iter()
                .enumerate()
                .map(|(v, at)| at.map(|at: usize| own(v, placed[at])))
                .collect(),
            arena,
            weights,
        })
    }

    /// Where `v` lives; `None` if nothing that was asked for needs it.
    pub fn slot(&self, v: Value) -> Option<Slot> {
        self.slots.get(v.0).copied().flatten()
    }

    /// The call whose kernel writes `v`.
    pub fn call_writing(&self, v: Value) -> Option<usize> {
        self.calls.iter().position(|call| call.makes.contains(&v))
    }

    pub fn arena_bytes(&self) -> u64 {
        self.arena.iter().map(|len| 4 * *len as u64).sum()
    }

    pub fn flops(&self) -> u64 {
        self.calls.iter().map(|call| call.kernel.flops()).sum()
    }
}

/// Where the parameters live, in a graph's order; the same for every batch size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightLayout {
    pub slots: Vec<Slot>,
    /// Lengths of the buffers, in elements of four bytes.
    pub buffers: Vec<usize>,
}

impl WeightLayout {
    fn new(graph: &Graph, limits: &Limits) -> Result<Self, GraphError> {
        let (mut slots, mut buffers) = (Vec::new(), vec![0usize]);
        for param in graph.params() {
            let len = param.words();
            let need = 4 * len as u64;
            if need > limits.max_binding.min(limits.max_buffer) {
                return Err(GraphError::Limit {
                    what: format!("the tensor {}", param.parts[0].name),
                    need,
                    limit: limits.max_binding.min(limits.max_buffer),
                    limit_name: "largest storage binding",
                });
            }
            let mut buffer = buffers.len() - 1;
            // Training binds a buffer as a whole.
            if buffers[buffer] + len > limits.bound_elements() {
                buffers.push(0);
                buffer += 1;
            }
            slots.push(Slot {
                buffer,
                offset: buffers[buffer],
                len,
            });
            buffers[buffer] += len.next_multiple_of(ALIGN);
        }
        Ok(Self { slots, buffers })
    }

    /// Buffer `index` as a whole.
    pub fn whole(&self, index: usize) -> Slot {
        Slot {
            buffer: index,
            offset: 0,
            len: self.buffers[index],
        }
    }

    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(|len| 4 * *len as u64).sum()
    }
}
