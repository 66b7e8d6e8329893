//! The second half of a normalisation: y[n,c,p] = a[n,c]·x[n,c,p] + b[n,c], with a and b from
//! [`GroupStats`](super::GroupStats).

use super::{Operation, mismatch, pointwise};
use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};

/// Inputs: x `[N,C,H,W]` and the statistics `[N,2,C]`.
#[derive(Debug)]
pub struct Affine;

impl Operation for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (x, stats) = (inputs[0], inputs[1]);
        if stats != Shape::vector(2 * x.c) {
            return Err(mismatch(
                self.name(),
                format!("statistics {stats} do not belong to {x}"),
            ));
        }
        Ok(x)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }
}
