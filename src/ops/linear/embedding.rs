//! Class embeddings: y[n] = table[labels[n]]. Only ever added to the time embedding, by the layer that makes that.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::linear::TableGradient;

/// Input: labels `[N]`, whole numbers below `rows` (kept as f32). Parameter: the table.
#[derive(Debug)]
pub struct Embedding {
    pub rows: usize,
}

impl Operation for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        match *params[0] {
            ParamKind::Table { rows, dim } if rows == self.rows && inputs[0].sample_len() == 1 => {
                Ok(Shape::vector(dim))
            }
            ref other => Err(mismatch(
                self.name(),
                format!(
                    "{} numbers are no table of {} rows",
                    other.count(),
                    self.rows
                ),
            )),
        }
    }

    fn lower(&self, _: &mut Lowering, _: Value) -> Result<(), GraphError> {
        Err(mismatch(
            self.name(),
            "it must be added to the output of a linear layer",
        ))
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let (labels, params) = (cx.node(node).inputs[0], cx.node(node).params);
        let learned = cx.push(TableGradient { rows: self.rows }, &[dy, labels], &params)?;
        cx.learned(learned);
        Ok(())
    }
}
