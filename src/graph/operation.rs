//! What an operation is: a node of the graph, with its shape, its lowering and its gradient's rule.

use std::any::Any;
use std::fmt;

use super::{Backward, GraphError, Lowering, ParamKind, Shape, Value};

/// A node of the graph.
pub trait Operation: Any {
    fn name(&self) -> &'static str;

    /// The numbers that it is made with, by their names, for people to read.
    fn numbers(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// The shape of the result; the error says which shapes do not fit.
    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError>;

    /// Emits the kernels that compute `node`, which is of this operation.
    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError>;

    /// From `dy` = ∂L/∂`node`, says what ∂L/∂ of its inputs and parameters are. What nobody trains through has no rule.
    fn gradient(&self, _cx: &mut Backward, _node: Value, _dy: Value) -> Result<(), GraphError> {
        Err(mismatch(self.name(), "it has no gradient"))
    }
}

// By their names: what all of them hold would weigh several kilobytes in the browser's download.
impl fmt::Debug for dyn Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A [`GraphError::Shape`].
pub fn mismatch(op: &'static str, message: impl Into<String>) -> GraphError {
    GraphError::Shape {
        op,
        message: message.into(),
    }
}
