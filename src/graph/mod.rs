//! The network as a list of typed operations on values with shapes. It knows no GPU.
//!
//! A [`Graph`] is built once from a model. [`gradient`] appends the backward pass to it; [`lower`] turns what its outputs need into kernels, fusing on the way;
//! [`plan`] gives every value a place in an arena.

pub mod arena;
pub mod gradient;
pub mod input;
pub mod kernel;
pub mod lower;
pub mod operation;
pub mod param;
pub mod plan;

use std::fmt;
use std::rc::Rc;

pub use gradient::{Backward, GradientSums};
pub use input::Input;
pub use kernel::{Defines, Kernel, Tuning};
pub use lower::Lowering;
pub use operation::{Operation, mismatch};
pub use param::{Held, Outputs, Param, ParamId, ParamKind};
pub use plan::Plan;

/// What can be wrong with a graph or a plan.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error("{op}: {message}")]
    Shape { op: &'static str, message: String },
    #[error(
        "{what} needs {need} bytes, and this adapter's {limit_name} is {limit}; use a smaller batch or image"
    )]
    Limit {
        what: String,
        need: u64,
        limit: u64,
        limit_name: &'static str,
    },
}

/// The shape of a value for one sample, channels × height × width; a vector has `h = w = 1`.
/// A batched value holds `batch` of them one after the other (NCHW), any other value holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    pub batched: bool,
    pub c: usize,
    pub h: usize,
    pub w: usize,
}

impl Shape {
    pub fn image(c: usize, h: usize, w: usize) -> Self {
        Self {
            batched: true,
            c,
            h,
            w,
        }
    }

    pub fn vector(c: usize) -> Self {
        Self::image(c, 1, 1)
    }

    /// A value that the batch does not multiply.
    pub fn fixed(len: usize) -> Self {
        Self {
            batched: false,
            c: len,
            h: 1,
            w: 1,
        }
    }

    pub fn pixels(&self) -> usize {
        self.h * self.w
    }

    /// Elements of one sample.
    pub fn sample_len(&self) -> usize {
        self.c * self.h * self.w
    }

    /// Elements in all.
    pub fn len(&self, batch: usize) -> usize {
        self.sample_len() * if self.batched { batch } else { 1 }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = if self.batched { "N×" } else { "" };
        write!(f, "{n}{}×{}×{}", self.c, self.h, self.w)
    }
}

/// The result of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) usize);

/// An operation applied to values and parameters.
#[derive(Clone, Debug)]
pub struct Node {
    pub op: Rc<dyn Operation>,
    pub inputs: Vec<Value>,
    pub params: Vec<ParamId>,
    pub shape: Shape,
}

/// Operations in an order in which each one's inputs precede it.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    params: Vec<Param>,
}

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter, made of one or more of a checkpoint's tensors.
    pub fn param(&mut self, param: Param) -> ParamId {
        self.params.push(param);
        ParamId(self.params.len() - 1)
    }

    /// Applies `op`; the error names the operation and the shapes that do not fit.
    pub fn push(
        &mut self,
        op: impl Operation,
        inputs: &[Value],
        params: &[ParamId],
    ) -> Result<Value, GraphError> {
        self.push_shared(Rc::new(op), inputs, params)
    }

    /// As [`Graph::push`].
    pub fn push_shared(
        &mut self,
        op: Rc<dyn Operation>,
        inputs: &[Value],
        params: &[ParamId],
    ) -> Result<Value, GraphError> {
        let shapes: Vec<Shape> = inputs.iter().map(|v| self.shape(*v)).collect();
        let kinds: Vec<&ParamKind> = params.iter().map(|p| &self.params[p.0].kind).collect();
        let shape = op.shape(&shapes, &kinds)?;
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            params: params.to_vec(),
            shape,
        });
        Ok(Value(self.nodes.len() - 1))
    }

    pub fn node(&self, value: Value) -> &Node {
        &self.nodes[value.0]
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn shape(&self, value: Value) -> Shape {
        self.nodes[value.0].shape
    }

    /// The place of a parameter in [`Graph::params`] and in a [`plan::WeightLayout`].
    pub fn param_index(&self, param: ParamId) -> usize {
        param.0
    }

    /// Has the device hold each weight as `held` says, in place of F32. Training reads and writes F32 alone.
    pub fn hold(&mut self, held: impl Fn(usize, &Param) -> Held) {
        for (index, param) in self.params.iter_mut().enumerate() {
            if matches!(param.kind, ParamKind::Weight { .. }) {
                param.held = held(index, param);
            }
        }
    }

    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// The operation that makes `value`, if it is a `T`.
    pub fn op<T: Operation>(&self, value: Value) -> Option<&T> {
        (&*self.nodes[value.0].op as &dyn std::any::Any).downcast_ref()
    }
}
