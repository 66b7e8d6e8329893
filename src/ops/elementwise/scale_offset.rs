//! y = scale·x + offset; diffusers' `center_input_sample` is 2x − 1.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value};
use crate::ops::elementwise::pointwise;

#[derive(Debug)]
pub struct ScaleOffset {
    pub scale: f32,
    pub offset: f32,
}

impl Operation for ScaleOffset {
    fn name(&self) -> &'static str {
        "scale_offset"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![("scale", self.scale.into()), ("offset", self.offset.into())]
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        pointwise::lower(cx, node, x, None, self.scale, self.offset)
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        let op = Self {
            scale: self.scale,
            offset: 0.0,
        };
        let dx = cx.push(op, &[dy], &[])?;
        cx.add(x, dx);
        Ok(())
    }
}
