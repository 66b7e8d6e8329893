//! y = scale·x + offset; diffusers' `center_input_sample` is 2x − 1.

use super::{Operation, pointwise};
use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};

#[derive(Debug)]
pub struct ScaleOffset {
    pub scale: f32,
    pub offset: f32,
}

impl Operation for ScaleOffset {
    fn name(&self) -> &'static str {
        "scale_offset"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        pointwise::lower(cx, node, x, None, self.scale, self.offset)
    }
}
