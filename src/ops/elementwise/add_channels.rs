//! The time embedding's entrance: y[n,c,p] = x[n,c,p] + e[n, offset + c].

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::conv2d::{self, Conv2d, Epilogue};

/// Inputs: x `[N,C,H,W]` straight from a convolution, and e `[N,E]`, of which C entries from `offset` on are added.
#[derive(Debug)]
pub struct AddChannels {
    pub offset: usize,
}

impl Operation for AddChannels {
    fn name(&self) -> &'static str {
        "add_channels"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![("offset", self.offset as f64)]
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (x, e) = (inputs[0], inputs[1]);
        if self.offset + x.c > e.c || e.pixels() != 1 {
            return Err(mismatch(
                self.name(),
                format!("entries from {} of {e} do not cover {x}", self.offset),
            ));
        }
        Ok(x)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        // Where another reads the convolution too, it is computed twice.
        if cx.made_by::<Conv2d>(x).is_none() {
            return Err(mismatch(self.name(), "its input must be a convolution"));
        }
        conv2d::lower(cx, node, node, Epilogue::default())
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let inputs = cx.node(node).inputs;
        cx.add(inputs[0], dy);
        cx.add_entries(inputs[1], self.offset, dy);
        Ok(())
    }
}
