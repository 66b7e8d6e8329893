//! Nearest-neighbour upsampling by two: index arithmetic in the reader's load.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value};
use crate::ops::elementwise::pointwise;
use crate::ops::resample::Pool;

/// `[N,C,H,W]` gives `[N,C,2H,2W]` with y[·,i,j] = x[·,⌊i/2⌋,⌊j/2⌋].
#[derive(Debug)]
pub struct Upsample;

impl Operation for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        Ok(Shape {
            h: 2 * x.h,
            w: 2 * x.w,
            ..x
        })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        let dx = cx.push(Pool::SUM, &[dy], &[])?;
        cx.add(x, dx);
        Ok(())
    }
}
