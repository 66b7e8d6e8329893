//! The canvas's share of a step as a node of the graph; see [`PackRgba`].

use crate::graph::{GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::chain::{PackRgba, solver_step};

/// Input: the solver's state. Gives RGBA8 words of the pictures x_t and x̂0, one grid after the other.
#[derive(Debug)]
pub struct Drawing(pub PackRgba);

impl Operation for Drawing {
    fn name(&self) -> &'static str {
        "drawing"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let pack = &self.0;
        let len = solver_step::PLANES * pack.count * pack.c * pack.h * pack.w;
        if inputs[0] != Shape::fixed(len) {
            return Err(mismatch(
                self.name(),
                format!("{} is no state of {} pictures", inputs[0], pack.count),
            ));
        }
        let (w, h) = pack.size();
        Ok(Shape::fixed(2 * w * h))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let state = cx.node(node).inputs[0];
        let reads = vec![cx.value(state)?];
        cx.emit(self.0.clone(), reads, vec![node])
    }
}
