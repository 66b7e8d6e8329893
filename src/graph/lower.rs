//! From operations to kernels. Lowering is driven by demand, from the outputs back: an operation asks for the
//! values it reads, and may instead look behind a value and absorb the operation that makes it. So a convolution
//! takes concat, normalisation, activation and upsampling into its load, and an addition hands itself to the
//! convolution before it; what nobody asks for is never computed.

use std::rc::Rc;

use super::arena::ALIGN;
use super::param::pad4;
use super::plan::WeightLayout;
use super::{Graph, GraphError, Held, Kernel, Node, Operation, ParamId, Shape, Tuning, Value};

/// What is kept of the parameters, each in buffers of one layout ([`WeightLayout`](super::plan::WeightLayout)): the
/// weights, and in training their gradients, Adam's two moments and the moving average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    Weights = 0,
    Gradients = 1,
    /// First moment, m.
    Mean = 2,
    /// Second moment, v.
    Square = 3,
    /// Exponential moving average of the weights.
    Ema = 4,
}

impl Store {
    pub const COUNT: usize = 5;
}

/// Where a kernel's operand lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    Value(Value),
    Param(ParamId),
    /// The gradient of a parameter.
    Gradient(ParamId),
    /// A buffer of a store, by its number, as a whole.
    Whole(Store, usize),
    /// A run of a value's elements: where it begins, a multiple of [`ALIGN`], and how many they are.
    Range(Value, usize, usize),
}

impl Operand {
    /// The value that it is, if it is one.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Value(v) => Some(*v),
            _ => None,
        }
    }
}

impl From<Value> for Operand {
    fn from(v: Value) -> Self {
        Self::Value(v)
    }
}

impl From<ParamId> for Operand {
    fn from(p: ParamId) -> Self {
        Self::Param(p)
    }
}

/// One kernel with its operands: what it reads, then what it writes.
#[derive(Clone, Debug)]
pub struct Call {
    pub kernel: Rc<dyn Kernel>,
    pub reads: Vec<Operand>,
    pub writes: Vec<Operand>,
}

/// A gradient that was made in parts: from element `at` of `from` on `count` of them, each of `len` elements padded to
/// vectors of four.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    pub param: ParamId,
    pub from: Value,
    pub at: usize,
    pub count: usize,
    pub len: usize,
}

/// Elements of the parts that wait to be added up: their memory, 8 MB.
const WAITING: usize = 2 << 20;

/// The state of lowering one graph at one batch size.
pub struct Lowering<'g> {
    graph: &'g Graph,
    /// Where the parameters will live.
    pub layout: &'g WeightLayout,
    pub batch: usize,
    uses: Vec<usize>,
    done: Vec<bool>,
    calls: Vec<Call>,
    scratch: Vec<usize>,
    parts: Vec<Option<PerClass>>,
    waiting: Vec<Parts>,
}

/// A graph as kernels.
pub struct Lowered {
    pub calls: Vec<Call>,
    /// Lengths of the values that stand in no graph, numbered on from the graph's: what kernels of one operation hand
    /// on to each other.
    pub scratch: Vec<usize>,
    /// By value, what [`Lowering::leave_moments`] said.
    pub parts: Vec<Option<PerClass>>,
}

/// How many parts a channel's moments have, by the class of the adapter, as in [`Tuning::ALL`].
pub type PerClass = [usize; Tuning::ALL.len()];

/// Elements of a part of a channel's moments: how many pixels, their mean, and the sum of squared differences from it.
pub const MOMENTS: usize = 3;

impl<'g> Lowering<'g> {
    /// Lowers what `outputs` need.
    pub fn run(
        graph: &'g Graph,
        batch: usize,
        outputs: &[Value],
        layout: &'g WeightLayout,
    ) -> Result<Lowered, GraphError> {
        let mut uses = vec![0; graph.nodes().len()];
        for v in graph
            .nodes()
            .iter()
            .flat_map(|node| &node.inputs)
            .chain(outputs)
        {
            uses[v.0] += 1;
        }
        let mut lowering = Self {
            graph,
            layout,
            batch,
            uses,
            done: vec![false; graph.nodes().len()],
            calls: Vec::new(),
            scratch: Vec::new(),
            parts: vec![None; graph.nodes().len()],
            waiting: Vec::new(),
        };
        for output in outputs {
            lowering.value(*output)?;
        }
        Ok(Lowered {
            calls: lowering.calls,
            scratch: lowering.scratch,
            parts: lowering.parts,
        })
    }

    /// What the device holds of a parameter.
    pub fn held(&self, param: ParamId) -> Held {
        self.graph.params()[param.0].held
    }

    /// A value of `len` elements for the kernels of one operation among themselves.
    pub fn scratch(&mut self, len: usize) -> Value {
        self.scratch.push(len);
        Value(self.graph.nodes().len() + self.scratch.len() - 1)
    }

    /// A place for parts of gradients, of each parameter so many of so many elements, one parameter after the other.
    pub fn gradient_parts(&mut self, wanted: &[(ParamId, usize, usize)]) -> Operand {
        let need: usize = wanted.iter().map(|w| w.1 * pad4(w.2)).sum();
        let nodes = self.graph.nodes().len();
        let last = self.waiting.last().map(|parts| parts.from);
        let room = last.filter(|v| self.scratch[v.0 - nodes] + need <= WAITING);
        let from = room.unwrap_or_else(|| self.scratch(0));
        let len = &mut self.scratch[from.0 - nodes];
        let first = len.next_multiple_of(ALIGN);
        *len = first + need;
        let mut at = first;
        for (param, count, len) in wanted.iter().copied() {
            self.waiting.push(Parts {
                param,
                from,
                at,
                count,
                len,
            });
            at += count * pad4(len);
        }
        Operand::Range(from, first, need)
    }

    /// Takes the parts that wait: those whose memory is full, or all.
    pub fn take_parts(&mut self, all: bool) -> Vec<Parts> {
        let last = self.waiting.last().map(|parts| parts.from);
        let full = |parts: &&Parts| all || Some(parts.from) != last;
        let count = self.waiting.iter().take_while(full).count();
        let rest = self.waiting.split_off(count);
        std::mem::replace(&mut self.waiting, rest)
    }

    /// Says that the kernel which makes `v` leaves the moments of every channel behind it, in so many parts.
    pub fn leave_moments(&mut self, v: Value, parts: PerClass) {
        self.parts[v.0] = Some(parts);
    }

    /// The parts of the moments behind `v`, which is lowered.
    pub fn parts(&self, v: Value) -> Option<PerClass> {
        self.parts.get(v.0).copied().flatten()
    }

    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    pub fn node(&self, v: Value) -> &'g Node {
        self.graph.node(v)
    }

    pub fn shape(&self, v: Value) -> Shape {
        self.graph.shape(v)
    }

    /// The node of `v` if its operation is a `T`: a candidate for absorption.
    pub fn made_by<T: Operation>(&self, v: Value) -> Option<(&'g T, &'g Node)> {
        self.graph.op::<T>(v).map(|op| (op, self.graph.node(v)))
    }

    /// Whether exactly one operation reads `v`, so that absorbing its maker computes nothing twice.
    pub fn read_once(&self, v: Value) -> bool {
        self.uses[v.0] == 1
    }

    /// The nodes that read `v`.
    pub fn readers(&self, v: Value) -> Vec<Value> {
        let nodes = self.graph.nodes().iter().enumerate();
        let reading = nodes.filter(|(_, node)| node.inputs.contains(&v));
        reading.map(|(i, _)| Value(i)).collect()
    }

    /// Whether `v` was asked for.
    pub fn done(&self, v: Value) -> bool {
        self.done[v.0]
    }

    /// Says that a kernel which was asked for something else makes `v` as well.
    pub fn makes(&mut self, v: Value) -> Operand {
        self.done[v.0] = true;
        Operand::Value(v)
    }

    /// Sees to it that `v` is computed, and gives its operand.
    pub fn value(&mut self, v: Value) -> Result<Operand, GraphError> {
        if !self.done[v.0] {
            self.done[v.0] = true;
            let op = Rc::clone(&self.graph.node(v).op);
            op.lower(self, v)?;
        }
        Ok(Operand::Value(v))
    }

    /// Adds a call; its operands must have been asked for with [`Lowering::value`]. WebGPU forbids binding one
    /// writable slice twice in a dispatch, so a value may stand among the operands only once.
    pub fn emit(
        &mut self,
        kernel: impl Kernel,
        reads: Vec<Operand>,
        writes: Vec<impl Into<Operand>>,
    ) -> Result<(), GraphError> {
        let writes = writes.into_iter().map(Into::into).collect();
        self.emit_shared(Rc::new(kernel), reads, writes)
    }

    /// The same for every kernel, which the page's download has but once.
    fn emit_shared(
        &mut self,
        kernel: Rc<dyn Kernel>,
        reads: Vec<Operand>,
        writes: Vec<Operand>,
    ) -> Result<(), GraphError> {
        let operands: Vec<Operand> = reads.iter().chain(&writes).copied().collect();
        let twice = |i: usize| {
            matches!(operands[i], Operand::Value(_)) && operands[..i].contains(&operands[i])
        };
        if (1..operands.len()).any(twice) {
            return Err(GraphError::Shape {
                op: kernel.name(),
                message: "one value stands among its operands twice".into(),
            });
        }
        self.calls.push(Call {
            kernel,
            reads,
            writes,
        });
        Ok(())
    }
}
