//! Two values one after the other along the channels; never materialised where the reader can index two sources.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::elementwise::{Slice, pointwise};

/// `[N,A,H,W]` and `[N,B,H,W]` give `[N,A+B,H,W]`.
#[derive(Debug)]
pub struct Concat;

impl Operation for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (a, b) = (inputs[0], inputs[1]);
        if (a.h, a.w, a.batched) != (b.h, b.w, b.batched) {
            return Err(mismatch(
                self.name(),
                format!(
                    "{a} and {b} differ in height or width; the image's sides must be divisible by 2 at every level"
                ),
            ));
        }
        Ok(Shape { c: a.c + b.c, ..a })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let mut first = 0;
        for v in cx.node(node).inputs {
            let count = cx.graph().shape(v).c;
            if cx.needs(v) {
                let dv = cx.push(Slice { first, count }, &[dy], &[])?;
                cx.add(v, dv);
            }
            first += count;
        }
        Ok(())
    }
}
