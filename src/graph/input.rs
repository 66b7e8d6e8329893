//! What the host writes before a run.

use super::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};

/// A value that the host writes.
#[derive(Debug)]
pub struct Input {
    pub shape: Shape,
}

impl Operation for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        if !inputs.is_empty() || self.shape.sample_len() == 0 {
            return Err(mismatch(self.name(), format!("{} is empty", self.shape)));
        }
        Ok(self.shape)
    }

    fn lower(&self, _: &mut Lowering, _: Value) -> Result<(), GraphError> {
        Ok(())
    }

    fn gradient(&self, _: &mut Backward, _: Value, _: Value) -> Result<(), GraphError> {
        Ok(())
    }
}
